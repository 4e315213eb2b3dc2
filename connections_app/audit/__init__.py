"""The audit log of what people did: rows are added, and never changed or deleted."""
