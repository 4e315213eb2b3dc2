"""The Sift API: client, payloads and errors. Knows nothing of the database."""
