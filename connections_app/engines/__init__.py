"""Access to PostgreSQL and Valkey, with time limits and circuit breakers."""
