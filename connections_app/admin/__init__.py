"""The Django admin: operators and rules are managed here; calls and what was done are only read."""

from connections_app.admin import connections, contacts, control, inbound, operators, routines, tags, walls

__all__ = ["connections", "contacts", "control", "inbound", "operators", "routines", "tags", "walls"]
