"""The Sift API: client, payloads and errors. Independent of the database."""
