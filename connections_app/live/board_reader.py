"""The board of one web process: read once and rendered once for all viewers.

A reader is used by one thread at a time. It holds what every stream has been sent, so that a reading finds
what is new, and a new stream gets the whole board without a query.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from time import monotonic
from typing import Any
from uuid import uuid4

from django.template.loader import get_template
from django.utils import timezone

from connections_app.calls.call_state import state_of, with_state
from connections_app.calls.freshness import freshness
from connections_app.live import board
from connections_app.live.board import Counters, LastHour, Row
from connections_app.live.compression import Piece
from connections_app.models import Connection, ConnectionEvent, Doubt, Status
from connections_app.web.invisible_characters import marked

ENDED_SHOWN_FOR = timedelta(seconds=10)
HOUR_SECONDS = 1.0  # between two counts of the last hour, at least
# The last entries of the change feed are read again: a transaction may commit after a later one.
OVERLAP = 500
MAX_REMEMBERED = 10_000  # calls, with their last change that was sent
MAX_OTHERS = 500  # changed calls that are named one by one
NO_CALLS = board.states_of(())
# An entry of the change feed: its key, the call's key, the number of the change, and Sift's id of the call.
FeedEntry = tuple[int, int, int, str]


class Kind(Enum):
    """The view that a stream is rendered for. Brief ones get the changes without HTML."""

    BOARD = "board"
    WALL = "wall"
    BRIEF = "brief"


ROWS = {Kind.BOARD: "live/_row.html", Kind.WALL: "live/_wall_row.html"}
COUNTERS = {Kind.BOARD: "live/_counters.html", Kind.WALL: "live/_wall_counters.html"}
Json = str


@dataclass(frozen=True, slots=True)
class Change:
    """The news of one reading: the data of a `calls` event by kind, without its braces, and its number."""

    number: int
    drawn: Mapping[Kind, Json]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole board as of change `number`: the data of a `snapshot` event without its braces."""

    number: int
    drawn: Piece


@dataclass(frozen=True, slots=True)
class Reading:
    """What the database returned. All queries are made before the reader changes its state.

    `missing` are keys of deleted calls; `unlisted` counts calls in progress that are not on the board,
    None if not queried. Calls that were `announced` have changed, perhaps only in notes or tags.
    """

    now: datetime
    calls: Sequence[Connection]
    missing: set[int]
    hour: LastHour
    announced: bool = False
    fed: Sequence[FeedEntry] = ()
    unlisted: Mapping[str, int] | None = None


class Reader:
    """The board's state. `number` counts the changes; `mark` is the freshness mark's HTML as JSON."""

    def __init__(self) -> None:
        self.number = 0
        self.rows: dict[int, Row] = {}
        self.html: dict[tuple[int, Kind], Json] = {}
        self.unlisted: Mapping[str, int] = NO_CALLS
        self.hour = LastHour(0, 0, None)
        self.hour_read = float("-inf")
        self.counters: Counters | None = None
        self.freshness: object = None
        self.mark = json.dumps("")
        self.fed: int | None = None
        self.sent: dict[int, int] = {}
        self.snapshots: dict[Kind, Snapshot] = {}

    def read(self, calls: Collection[int], kinds: Iterable[Kind]) -> Change | None:
        """Read the announced calls with these keys; return what changed. One query, or two."""
        now = timezone.now()
        found = with_state(calls)
        missing = set(calls) - {call.pk for call in found}
        return self._change(Reading(now, found, missing, self._hour(now), announced=True), kinds)

    def read_whole(self, kinds: Iterable[Kind]) -> Change | None:
        """Compare the whole board and the change feed with what was sent; return what changed.

        This finds changes whose announcement was lost. Eight queries at most.
        """
        now = timezone.now()
        found = board.in_progress()
        listed = found[: board.LIMIT]
        unlisted = self._unlisted(listed) if len(found) > len(listed) else NO_CALLS
        shown = {call.pk for call in listed}
        left = [pk for pk, row in self.rows.items() if row.over_at is None and pk not in shown]
        over = with_state(left) if left else []
        missing = set(left) - {call.pk for call in over}
        self.read_mark()
        fed, hour = self._fed(), self._hour(now, max_age=0)
        reading = Reading(now, [*over, *listed], missing, hour, fed=fed, unlisted=unlisted)
        return self._change(reading, kinds)

    def read_mark(self) -> None:
        """Read how fresh the calls are. One query."""
        read = freshness()
        # Browsers update the age in its words by themselves.
        if (read.state, read.lead, read.since) != self.freshness:
            self.freshness = (read.state, read.lead, read.since)
            self.mark = json.dumps(_render("sync/_mark.html", {"freshness": read}))

    def snapshot(self, kind: Kind) -> Snapshot:
        """Return the whole board. No query."""
        known = self.snapshots.get(kind)
        if known is None:
            rows = self._longest_first()
            body = f'"rows":[{",".join(self._row(row, kind) for row in rows)}],"more":{self.more}'
            drawn = Piece.of(f"{body}{self._counters(kind)}".encode())
            known = self.snapshots[kind] = Snapshot(self.number, drawn)
        return known

    def _change(self, read: Reading, kinds: Iterable[Kind]) -> Change | None:
        """Update the state with what was read, and render what differs from what was sent. No query."""
        self._forget_ended(read.now)
        others = self._new_in_feed(read.fed)
        rows, gone = [], [pk for pk in read.missing if self.rows.pop(pk, None)]
        for call in read.calls:
            self.sent[call.pk] = call.change_number
            row = self._row_of(call, read.now)
            if row is None:
                others.add(call.connection_id)
                if self.rows.pop(call.pk, None):
                    gone.append(call.pk)
            elif _facts(row) != _facts(self.rows.get(call.pk)):
                self.rows[call.pk] = row
                rows.append(row)
            elif read.announced:
                others.add(call.connection_id)
        self._forget_html([*(row.call.pk for row in rows), *gone])
        if read.unlisted is not None:
            self.unlisted = read.unlisted
        counters = self._count(read.hour)
        if not (rows or gone or others or counters):
            return None
        self.number += 1
        named = sorted(others) if len(others) <= MAX_OTHERS else None
        sent = f'"gone":{json.dumps(gone)},"others":{json.dumps(named)},"more":{self.more}'
        return Change(
            self.number,
            {
                kind: f'"rows":[{",".join(self._row(row, kind) for row in rows)}],{sent}'
                + (self._counters(kind) if counters else "")
                for kind in kinds
            },
        )

    @property
    def more(self) -> int:
        """Return how many calls in progress the board does not list."""
        return sum(self.unlisted.values())

    def _row_of(self, call: Connection, now: datetime) -> Row | None:
        """Return the call as a row; None if it is not, or no longer, on the board."""
        known = self.rows.get(call.pk)
        row = Row(call, state_of(call, now), is_mine=False, may_steer=True)
        if call.is_in_progress:
            return row if known or self._has_room() else None
        if known is None or call.doubt == Doubt.LOST:
            return None
        return replace(row, over_at=known.over_at or now)

    def _longest_first(self) -> list[Row]:
        return sorted(self.rows.values(), key=lambda row: (row.call.at, row.call.pk))

    def _has_room(self) -> bool:
        return sum(row.over_at is None for row in self.rows.values()) < board.LIMIT

    def _forget_ended(self, now: datetime) -> None:
        """Forget calls that ended `ENDED_SHOWN_FOR` ago; every browser removes them by itself."""
        ended = [pk for pk, row in self.rows.items() if row.over_at and row.over_at < now - ENDED_SHOWN_FOR]
        for pk in ended:
            del self.rows[pk]
        if ended:
            self._forget_html(ended)

    def _forget_html(self, calls: Collection[int]) -> None:
        if calls:
            self.snapshots.clear()
        for pk in calls:
            for kind in Kind:
                self.html.pop((pk, kind), None)

    def _count(self, hour: LastHour) -> bool:
        """Update the counters. Returns True if a figure changed."""
        rows = self._longest_first()
        states = board.states_of(row.call for row in rows)
        connecting, connected = (
            states[status] + self.unlisted[status] for status in (Status.CONNECTING, Status.CONNECTED)
        )
        counters = Counters(connecting, connected, board.longest(rows), *hour)
        is_new, self.counters = counters != self.counters, counters
        if is_new:
            self.snapshots.clear()
        return is_new

    def _hour(self, now: datetime, max_age: float = HOUR_SECONDS) -> LastHour:
        """Return the figures of the last hour, at most `max_age` seconds old. One query, or none."""
        if monotonic() - self.hour_read > max_age:
            self.hour, self.hour_read = board.last_hour(now), monotonic()
        return self.hour

    def _unlisted(self, listed: Iterable[Connection]) -> dict[str, int]:
        """Return how many calls that are not `listed` are connecting and connected. One query."""
        states = board.states_of(listed)
        return {status: max(0, count - states[status]) for status, count in board.counted_states().items()}

    def _fed(self) -> list[FeedEntry]:
        """Return the last entries of the change feed, oldest first. One query."""
        fed = ConnectionEvent.objects.order_by("-pk").values_list(
            "pk", "connection_id", "change_number", "connection__connection_id"
        )
        if self.fed is None:
            return list(fed[:OVERLAP])[::-1]
        return list(fed.filter(pk__gt=self.fed - OVERLAP))[::-1]

    def _new_in_feed(self, fed: Iterable[FeedEntry]) -> set[str]:
        """Return Sift's ids of calls whose last change in the change feed was not sent yet."""
        if len(self.sent) > MAX_REMEMBERED:
            self.sent.clear()
        is_first, new = self.fed is None, set()
        for pk, call, number, connection_id in fed:
            self.fed = max(self.fed or 0, pk)
            if self.sent.get(call, 0) < number:
                self.sent[call] = number
                new.add(connection_id)
        self.fed = self.fed or 0
        return set() if is_first else new

    def _row(self, row: Row, kind: Kind) -> Json:
        key = (row.call.pk, kind)
        if key not in self.html:
            sent: dict[str, Any] = {
                "id": row.call.pk,
                "call": row.call.connection_id,
                "status": row.call.status,
                "over": row.over_at.astimezone(UTC).isoformat() if row.over_at else None,
            }
            if kind in ROWS:
                sent["html"] = _render(ROWS[kind], {"row": row})
            self.html[key] = json.dumps(sent)
        return self.html[key]

    def _counters(self, kind: Kind) -> Json:
        if kind not in COUNTERS:
            return ""
        return f',"counters":{json.dumps(_render(COUNTERS[kind], {"counters": self.counters}))}'


def _facts(row: Row | None) -> object:
    """Return everything that a row shows: two rows with the same facts look the same."""
    if row is None:
        return None
    call = row.call
    return (
        (call.status, call.doubt, call.direction, call.from_endpoint, call.to_endpoint),
        (call.started_at, call.first_seen_at, call.ended_at),
        (row.state, row.over_at),
    )


def _render(template: str, context: dict[str, Any]) -> str:
    """Return HTML for all viewers: each browser applies its person's time zone and permissions."""
    everybody = {"everybody": True, "now": timezone.now(), "request_id": uuid4()}
    return marked(get_template(template).render(context | everybody))
