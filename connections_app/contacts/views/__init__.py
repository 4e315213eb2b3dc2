"""The pages of contacts, in one file for each kind."""
