"""PostgreSQL and Valkey as this process reaches them: within a time, and not while they do not answer."""
