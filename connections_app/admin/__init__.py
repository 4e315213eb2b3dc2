"""The Django admin: operators are managed here, calls are only read."""

from connections_app.admin import connections, operators

__all__ = ["connections", "operators"]
