"""The Django admin: operators and inbound rules are managed here; calls and records are read-only."""

from connections_app.admin import connections, contacts, control, inbound, operators, routines, tags, walls

__all__ = ["connections", "contacts", "control", "inbound", "operators", "routines", "tags", "walls"]
