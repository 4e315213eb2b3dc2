"""A stand-in for the Sift API: its own process, spoken to over HTTP, and nothing of the dashboard in it."""
