"""The pages of contacts, one file a kind."""
