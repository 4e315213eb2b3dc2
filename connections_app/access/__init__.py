"""Permissions: each is defined here once."""
