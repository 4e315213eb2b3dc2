"""Start the dashboard with everything it needs, on a machine that has Python and a package index."""
