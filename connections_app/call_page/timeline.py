"""The events of one call, in order and in words."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any, TypeVar

from django.db.models import Model, Prefetch, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from connections_app.call_page.descriptions import input_words, routine_words
from connections_app.models import (
    Callback,
    CallRequest,
    Connection,
    ConnectionEvent,
    Doubt,
    EarlierText,
    Note,
    Outcome,
    Push,
    Settled,
    Source,
    Status,
)

# The latest entries, so that a page stays light; all of them are shown on request.
ENTRIES_SHOWN = 200
EARLIER_TEXTS_SHOWN = 20

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
    Source.UPGRADE: "An upgrade of the dashboard: Sift cannot have meant it",
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

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a call's timeline; `changes` are (field, before, after), formatted for people.

    `note` is the note of an entry for a note, with its earlier texts, the latest first.
    """

    at: datetime
    icon: str
    title: str
    detail: str
    changes: tuple[tuple[str, str, str], ...] = ()
    note: Note | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The entries, oldest first: `beginning` and `entries`; if `is_cut`, some in between are left out."""

    beginning: list[Entry]
    entries: list[Entry] = field(default_factory=list)
    is_cut: bool = False

    def __iter__(self) -> Iterator[Entry]:
        return chain(self.beginning, self.entries)


def timeline(call: Connection, request: CallRequest | None, *, whole: bool) -> Timeline:
    """Return how the call of `request` began, and its latest `ENTRIES_SHOWN` entries, or all if `whole`.

    Entries are requests to Sift, changes with their source, callbacks with their answer, and notes. Five
    queries; four if there are no notes.
    """
    most = None if whole else ENTRIES_SHOWN
    pushes = call.pushes.select_related("script").order_by("-pk")
    callbacks = call.callbacks.select_related("step").order_by("-first_at", "-pk")
    beginning = [*(_requested(request) if request else ()), _first_sight(call)]
    happened = [
        *map(_changed, _latest(call.events.order_by("-change_number"), most)),
        *map(_called_back, _latest(callbacks, most)),
        *chain.from_iterable(map(_pushed, _latest(pushes, most))),
        *map(_written, _latest(_notes(call, most), most)),
    ]
    happened.sort(key=lambda one: one.at)
    if most is None or len(happened) <= most:
        return Timeline(sorted([*beginning, *happened], key=lambda one: one.at))
    return Timeline(beginning, happened[-most:], is_cut=True)


def _latest(rows: QuerySet[Row], most: int | None) -> list[Row]:
    """Return the latest of `rows`, oldest first; one more than `most`, which shows that there are more."""
    return list(rows if most is None else rows[: most + 1])[::-1]


def _notes(call: Connection, most: int | None) -> QuerySet[Note]:
    earlier = EarlierText.objects.order_by("-pk")
    if most is not None:
        earlier = earlier[: EARLIER_TEXTS_SHOWN + 1]
    return call.notes.prefetch_related(Prefetch("earlier_texts", earlier, "earlier")).order_by(
        "-written_at", "-pk"
    )


def _written(note: Note) -> Entry:
    return Entry(note.written_at, "note", note.author_name, "", note=note)


def _requested(request: CallRequest) -> Iterator[Entry]:
    """Yield the request for the call, and Sift's answer."""
    script = f"With {request.script}: {request.script.preview}" if request.script else "Without a routine."
    yield Entry(request.asked_at, "user", f"{request.operator_name} asked for the call", script)
    if request.answered_at and request.outcome == Outcome.ACCEPTED:
        yield Entry(request.answered_at, "check", "Placed", SETTLED[Settled(request.settled_by)])


def _pushed(push: Push) -> Iterator[Entry]:
    """Yield what was sent to the live call, and Sift's answer."""
    match push.kind:
        case Push.Kind.HANG_UP:
            yield Entry(push.asked_at, "phone-off", f"{push.operator_name} asked to hang up", "")
        case Push.Kind.ROUTINE:
            title = f"{push.operator_name} sent a routine"
            yield Entry(push.asked_at, "list-check", title, f"{push.script}: {push.script.preview}")
        case Push.Kind.FALLBACK:
            detail = f"No callback had asked for it. {push.script.preview}"
            yield Entry(push.asked_at, "list-check", "The dashboard set the script", detail)
        case Push.Kind.NOT_DIALLED:
            yield Entry(push.asked_at, "ban", "Not dialled", f"{push.reason} {push.script.preview}")
            return
    if push.answered_at and push.outcome != Outcome.SENDING:
        title, icon = OUTCOMES[Outcome(push.outcome)]
        yield Entry(push.answered_at, icon, title, push.reason)


def _called_back(callback: Callback) -> Entry:
    """Return the entry of a callback: what Sift reported, and the dashboard's answer."""
    body = callback.body if isinstance(callback.body, dict) else {}
    again = f", {callback.times} times" if callback.times > 1 else ""
    if callback.status == 200:
        answered = routine_words(callback.answer)
    else:
        answered = f"Answered {callback.status}: {(callback.answer or {}).get('error', '')}"
    return Entry(
        callback.first_at,
        "webhook",
        f"Sift called back{again}: {_reported(callback, body)}",
        f"{callback.note} {answered} In {callback.milliseconds:.0f} ms.".strip(),
    )


def _reported(callback: Callback, body: dict[str, Any]) -> str:
    match callback.kind:
        case Callback.Kind.DONE:
            return f"{callback.step.command if callback.step else 'a command'} is done, {input_words(body)}"
        case Callback.Kind.INCOMING:
            return "a call came in"
    connection = body.get("connection", body)
    status = connection.get("status") if isinstance(connection, dict) else None
    return str(status) if isinstance(status, str) else "not understood"


def _first_sight(call: Connection) -> Entry:
    return Entry(
        call.first_seen_at,
        "eye",
        "First seen here",
        SOURCES.get(Source(call.first_source), call.first_source),
    )


def _changed(event: ConnectionEvent) -> Entry:
    changed: dict[str, Any] = event.changes
    detail = SOURCES.get(Source(event.source), event.source)
    others = tuple(_others(changed))
    if "status" in changed:
        status = Status(changed["status"][1])
        return Entry(event.at, ICONS[status], status.label, detail, others)
    if "doubt" in changed:
        return Entry(event.at, "alert-triangle", _doubt(changed["doubt"][1]), detail, others)
    names = ", ".join(FIELDS.get(name, name) for name in changed)
    what = "Taken out" if event.source == Source.UPGRADE else "More became known"
    return Entry(event.at, "info-circle", f"{what}: {names}", detail, others)


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
    if name in ("started_at", "ended_at") and (moment := _local(str(value))):
        return f"{moment:%Y-%m-%d %H:%M:%S}"
    return str(value)


def _local(written: str) -> datetime | None:
    """Return a time from the database in the current zone, or None if Python cannot represent it."""
    try:
        moment = parse_datetime(written)
        return timezone.localtime(moment) if moment else None
    except (ValueError, OverflowError):
        return None
