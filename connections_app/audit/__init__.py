"""The record of what people did: rows are added, and never changed or taken away."""
