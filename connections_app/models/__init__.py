"""The models, one module for each kind of object."""

from connections_app.models.account import Account, TokenDigest, new_token
from connections_app.models.action import Action, Verb
from connections_app.models.callback import Callback
from connections_app.models.connection import (
    Connection,
    Direction,
    Doubt,
    Reading,
    Source,
    Status,
)
from connections_app.models.contact import Contact, ContactImport
from connections_app.models.event import ConnectionEvent
from connections_app.models.export import Export
from connections_app.models.inbound_rule import InboundRule
from connections_app.models.note import EarlierText, Note
from connections_app.models.operator import Operator, Role, UserName
from connections_app.models.requests import CallRequest, Outcome, Push, Sending, Settled
from connections_app.models.routine import Routine, RoutineVersion, UsedBy
from connections_app.models.script import Origin, Script, Step
from connections_app.models.sync import ListOrder, SyncState, Walk
from connections_app.models.tag import BulkTagged, BulkTagging, CallTag, Colour, Tag
from connections_app.models.unusable_row import UnusableRow
from connections_app.models.view import SavedView
from connections_app.models.wall_link import WallLink

__all__ = [
    "Account",
    "Action",
    "BulkTagged",
    "BulkTagging",
    "CallRequest",
    "CallTag",
    "Callback",
    "Colour",
    "Connection",
    "ConnectionEvent",
    "Contact",
    "ContactImport",
    "Direction",
    "Doubt",
    "EarlierText",
    "Export",
    "InboundRule",
    "ListOrder",
    "Note",
    "Operator",
    "Origin",
    "Outcome",
    "Push",
    "Reading",
    "Role",
    "Routine",
    "RoutineVersion",
    "SavedView",
    "Script",
    "Sending",
    "Settled",
    "Source",
    "Status",
    "Step",
    "SyncState",
    "Tag",
    "TokenDigest",
    "UnusableRow",
    "UsedBy",
    "UserName",
    "Verb",
    "Walk",
    "WallLink",
    "new_token",
]
