"""A simulation of the Sift API over HTTP: a separate process that uses no code of the dashboard."""
