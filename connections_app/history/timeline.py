"""What happened to one call, in order and in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from connections_app.models import Connection, ConnectionEvent, Doubt, Source, Status

ICONS = {
    Status.CONNECTING: "phone-outgoing",
    Status.CONNECTED: "phone-call",
    Status.FAILED: "phone-x",
    Status.FINISHED: "phone-off",
}
FIELDS = {
    "status": "Status",
    "direction": "Direction",
    "started_at": "Started",
    "ended_at": "Ended",
    "from_endpoint": "From",
    "to_endpoint": "To",
    "client_data": "client_data",
    "doubt": "Doubt",
}
SOURCES = {
    Source.LIST: "the list said so",
    Source.RETRIEVE: "Sift was asked for this call",
    Source.CALLBACK: "Sift called back",
}


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry of a call's timeline; `changes` are (field, before, after), as people read them."""

    at: datetime
    icon: str
    title: str
    detail: str
    changes: tuple[tuple[str, str, str], ...] = ()


def timeline(call: Connection) -> list[Happening]:
    """First sight, and each change after it, oldest first. One query."""
    return [_first_sight(call), *map(_happening, call.events.order_by("change_number"))]


def _first_sight(call: Connection) -> Happening:
    return Happening(
        call.first_seen_at,
        "eye",
        "First seen here",
        SOURCES.get(Source(call.first_source), call.first_source),
    )


def _happening(event: ConnectionEvent) -> Happening:
    changed: dict[str, Any] = event.changes
    detail = SOURCES.get(Source(event.source), event.source)
    others = tuple(_others(changed))
    if "status" in changed:
        status = Status(changed["status"][1])
        return Happening(event.at, ICONS[status], status.label, detail, others)
    if "doubt" in changed:
        return Happening(event.at, "alert-triangle", _doubt(changed["doubt"][1]), detail, others)
    names = ", ".join(FIELDS.get(name, name) for name in changed)
    return Happening(event.at, "info-circle", f"More became known: {names}", detail, others)


def _doubt(doubt: str) -> str:
    match doubt:
        case Doubt.UNCONFIRMED:
            return "Unconfirmed: Sift does not know this call"
        case Doubt.LOST:
            return "Lost: Sift still does not know this call; how it ended is not known"
        case _:
            return "Confirmed again"


def _others(changed: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, (before, after) in changed.items():
        if name not in ("status", "doubt"):
            yield FIELDS.get(name, name), _words(name, before), _words(name, after)


def _words(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if name in ("started_at", "ended_at") and (moment := parse_datetime(str(value))):
        return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S}"
    return str(value)
