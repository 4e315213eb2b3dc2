"""The tables, one file a noun."""

from connections_app.models.account import Account
from connections_app.models.connection import (
    Connection,
    Direction,
    Doubt,
    Reading,
    Source,
    Status,
)
from connections_app.models.event import ConnectionEvent
from connections_app.models.kept_aside import KeptAside
from connections_app.models.operator import Operator, Role
from connections_app.models.sync import ListOrder, SyncState, Walk

__all__ = [
    "Account",
    "Connection",
    "ConnectionEvent",
    "Direction",
    "Doubt",
    "KeptAside",
    "ListOrder",
    "Operator",
    "Reading",
    "Role",
    "Source",
    "Status",
    "SyncState",
    "Walk",
]
