"""The state of calls: the only code that writes it, and what reads it."""
