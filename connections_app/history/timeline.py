"""What happened to one call, in order and in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from connections_app.history.told import heard_words, routine_words
from connections_app.models import (
    Callback,
    CallRequest,
    Connection,
    ConnectionEvent,
    Doubt,
    Outcome,
    Push,
    Settled,
    Source,
    Status,
)

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
    Source.PLACING: "Sift's answer to placing it",
    Source.PERSON: "A person cleared it",
}


SETTLED = {
    Settled.ANSWER: "Sift took it",
    Settled.CALLBACK: "Sift called its address back",
    Settled.LIST: "Sift's list showed it; the answer had not come",
    Settled.PERSON: "A person said that this is the call; the answer had not come",
}
OUTCOMES = {
    Outcome.ACCEPTED: ("Sift took it", "check"),
    Outcome.REJECTED: ("Sift refused it", "x"),
    Outcome.UNKNOWN: ("It may or may not have reached Sift", "alert-triangle"),
}


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry of a call's timeline; `changes` are (field, before, after), as people read them."""

    at: datetime
    icon: str
    title: str
    detail: str
    changes: tuple[tuple[str, str, str], ...] = ()


def timeline(call: Connection, request: CallRequest | None) -> list[Happening]:
    """Everything that is known of a call that `request` became, oldest first. Three queries.

    What was asked of Sift, each change with its source, each callback with what it was answered.
    """
    pushes = call.pushes.select_related("script").order_by("pk")
    callbacks = call.callbacks.select_related("step").order_by("first_at", "pk")
    happened = chain(
        _asked(request) if request else (),
        [_first_sight(call)],
        map(_happening, call.events.order_by("change_number")),
        map(_called_back, callbacks),
        chain.from_iterable(map(_pushed, pushes)),
    )
    return sorted(happened, key=lambda one: one.at)


def _asked(request: CallRequest) -> Iterator[Happening]:
    """Who asked for the call, and what Sift said to it."""
    script = f"With {request.script}: {request.script.preview}" if request.script else "Without a routine."
    yield Happening(request.asked_at, "user", f"{request.operator_name} asked for the call", script)
    if request.answered_at and request.outcome == Outcome.ACCEPTED:
        yield Happening(request.answered_at, "check", "Placed", SETTLED[Settled(request.settled_by)])


def _pushed(push: Push) -> Iterator[Happening]:
    """What was sent to the live call, and what Sift said to it."""
    match push.kind:
        case Push.Kind.HANG_UP:
            yield Happening(push.asked_at, "phone-off", f"{push.operator_name} asked to hang up", "")
        case Push.Kind.ROUTINE:
            title = f"{push.operator_name} sent a routine"
            yield Happening(push.asked_at, "list-check", title, f"{push.script}: {push.script.preview}")
        case Push.Kind.FALLBACK:
            detail = f"No callback had asked for it. {push.script.preview}"
            yield Happening(push.asked_at, "list-check", "The dashboard set the script", detail)
    if push.answered_at and push.outcome != Outcome.SENDING:
        title, icon = OUTCOMES[Outcome(push.outcome)]
        yield Happening(push.answered_at, icon, title, push.reason)


def _called_back(callback: Callback) -> Happening:
    """One callback with both of its halves: what Sift told, and what it was answered."""
    body = callback.body if isinstance(callback.body, dict) else {}
    again = f", {callback.times} times" if callback.times > 1 else ""
    if callback.status == 200:
        answered = routine_words(callback.answer)
    else:
        answered = f"Answered {callback.status}: {(callback.answer or {}).get('error', '')}"
    return Happening(
        callback.first_at,
        "webhook",
        f"Sift called back{again}: {_told(callback, body)}",
        f"{answered} In {callback.milliseconds:.0f} ms.",
    )


def _told(callback: Callback, body: dict[str, Any]) -> str:
    match callback.kind:
        case Callback.Kind.DONE:
            return f"{callback.step.command if callback.step else 'a command'} is done, {heard_words(body)}"
        case Callback.Kind.INCOMING:
            return "a call came in"
    connection = body.get("connection", body)
    told = connection.get("status") if isinstance(connection, dict) else None
    return str(told) if isinstance(told, str) else "not understood"


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
