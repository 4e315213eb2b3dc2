"""Who may do what: each permission is defined here once."""
