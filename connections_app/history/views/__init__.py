"""The pages of history, one file a thing that is shown."""
