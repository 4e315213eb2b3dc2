"""The board as one web process knows it: read once and drawn once for everybody who watches.

A reader is used by one thread at a time. It holds what every stream has been told, so that a reading can tell
what is new, and a new stream can be given the whole board without a query.
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

# So long a call that is over stays on the board.
STAYS = timedelta(seconds=10)
# The figures of the last hour are counted anew this often at the most.
HOUR_EVERY = 1.0
# So many of the change feed's last entries are looked at again: a transaction may commit after a later one.
OVERLAP = 500
# So many calls are remembered by their last change that was told.
REMEMBERED = 10_000
# More changed calls than this are not named one by one.
MOST_OTHERS = 500
NOBODY = board.states_of(())
# Of the change feed: its place, the call's key, the number of the change, and Sift's id.
Fed = tuple[int, int, int, str]


class Kind(Enum):
    """What a stream is drawn for. Brief ones are told what changed, without its HTML."""

    BOARD = "board"
    WALL = "wall"
    BRIEF = "brief"


ROWS = {Kind.BOARD: "live/_row.html", Kind.WALL: "live/_wall_row.html"}
COUNTERS = {Kind.BOARD: "live/_counters.html", Kind.WALL: "live/_wall_counters.html"}
Json = str


@dataclass(frozen=True, slots=True)
class Change:
    """What a reading found new: the data of a `calls` event by kind, without its braces, and its number."""

    number: int
    drawn: Mapping[Kind, Json]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole board, as of the change with this number: the data of a `snapshot` without its braces."""

    number: int
    drawn: Piece


@dataclass(frozen=True, slots=True)
class Reading:
    """What the database said: all of it is asked before any of it is taken in.

    `missing` are keys of calls that are not there any more; `unlisted` counts those in progress beyond the
    board, None where that was not asked. Of calls that were `announced` something has changed, be it only
    their notes or tags, which the board does not show.
    """

    now: datetime
    calls: Sequence[Connection]
    missing: set[int]
    hour: LastHour
    announced: bool = False
    fed: Sequence[Fed] = ()
    unlisted: Mapping[str, int] | None = None


class Reader:
    """`number` counts the changes; `mark` is the freshness mark's HTML."""

    def __init__(self) -> None:
        self.number = 0
        self.rows: dict[int, Row] = {}
        self.html: dict[tuple[int, Kind], Json] = {}
        self.unlisted: Mapping[str, int] = NOBODY
        self.hour = LastHour(0, 0, None)
        self.hour_read = float("-inf")
        self.counters: Counters | None = None
        self.freshness: object = None
        self.mark = json.dumps("")
        self.fed: int | None = None
        self.sent: dict[int, int] = {}
        self.snapshots: dict[Kind, Snapshot] = {}

    def read(self, calls: Collection[int], kinds: Iterable[Kind]) -> Change | None:
        """Read the calls with these keys, which were announced. One query, and one a second for the hour."""
        now = timezone.now()
        found = with_state(calls)
        missing = set(calls) - {call.pk for call in found}
        return self._change(Reading(now, found, missing, self._hour(now), announced=True), kinds)

    def read_whole(self, kinds: Iterable[Kind]) -> Change | None:
        """Compare the whole board, and the change feed, with what was told. Eight queries at the most.

        So what was never announced is told as well.
        """
        now = timezone.now()
        found = board.in_progress()
        listed = found[: board.LIMIT]
        unlisted = self._unlisted(listed) if len(found) > len(listed) else NOBODY
        shown = {call.pk for call in listed}
        left = [pk for pk, row in self.rows.items() if row.over_at is None and pk not in shown]
        over = with_state(left) if left else []
        missing = set(left) - {call.pk for call in over}
        self.read_mark()
        fed, hour = self._fed(), self._hour(now, every=0)
        reading = Reading(now, [*over, *listed], missing, hour, fed=fed, unlisted=unlisted)
        return self._change(reading, kinds)

    def read_mark(self) -> None:
        """Read how fresh the calls are. One query."""
        read = freshness()
        # Its words alone grow older by themselves, in the browser.
        if (read.state, read.lead, read.since) != self.freshness:
            self.freshness = (read.state, read.lead, read.since)
            self.mark = json.dumps(_draw("sync/_mark.html", {"freshness": read}))

    def snapshot(self, kind: Kind) -> Snapshot:
        """The whole board. No query."""
        known = self.snapshots.get(kind)
        if known is None:
            rows = self._longest_first()
            body = f'"rows":[{",".join(self._row(row, kind) for row in rows)}],"more":{self.more}'
            drawn = Piece.of(f"{body}{self._counters(kind)}".encode())
            known = self.snapshots[kind] = Snapshot(self.number, drawn)
        return known

    def _change(self, read: Reading, kinds: Iterable[Kind]) -> Change | None:
        """Take in what was read, and draw what differs from what was told. No query."""
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
        self._forget_drawings([*(row.call.pk for row in rows), *gone])
        if read.unlisted is not None:
            self.unlisted = read.unlisted
        counters = self._count(read.hour)
        if not (rows or gone or others or counters):
            return None
        self.number += 1
        named = sorted(others) if len(others) <= MOST_OTHERS else None
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
        """How many calls in progress the board does not list."""
        return sum(self.unlisted.values())

    def _row_of(self, call: Connection, now: datetime) -> Row | None:
        """The call as the board shows it; None where it is not, or no longer, on the board."""
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
        """Every browser takes them off by itself."""
        ended = [pk for pk, row in self.rows.items() if row.over_at and row.over_at < now - STAYS]
        for pk in ended:
            del self.rows[pk]
        if ended:
            self._forget_drawings(ended)

    def _forget_drawings(self, calls: Collection[int]) -> None:
        if calls:
            self.snapshots.clear()
        for pk in calls:
            for kind in Kind:
                self.html.pop((pk, kind), None)

    def _count(self, hour: LastHour) -> bool:
        """Count again; whether a figure changed."""
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

    def _hour(self, now: datetime, every: float = HOUR_EVERY) -> LastHour:
        """The figures of the last hour, counted anew where they are older than that. One query, or none."""
        if monotonic() - self.hour_read > every:
            self.hour, self.hour_read = board.last_hour(now), monotonic()
        return self.hour

    def _unlisted(self, listed: Iterable[Connection]) -> dict[str, int]:
        """How many calls in progress are connecting and connected beside those that are listed. One query."""
        states = board.states_of(listed)
        return {status: max(0, count - states[status]) for status, count in board.counted_states().items()}

    def _fed(self) -> list[Fed]:
        """The end of the change feed, oldest first. One query."""
        fed = ConnectionEvent.objects.order_by("-pk").values_list(
            "pk", "connection_id", "change_number", "connection__connection_id"
        )
        if self.fed is None:
            return list(fed[:OVERLAP])[::-1]
        return list(fed.filter(pk__gt=self.fed - OVERLAP))[::-1]

    def _new_in_feed(self, fed: Iterable[Fed]) -> set[str]:
        """The ids of calls whose last change stands in the change feed, and was not told."""
        if len(self.sent) > REMEMBERED:
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
                sent["html"] = _draw(ROWS[kind], {"row": row})
            self.html[key] = json.dumps(sent)
        return self.html[key]

    def _counters(self, kind: Kind) -> Json:
        if kind not in COUNTERS:
            return ""
        return f',"counters":{json.dumps(_draw(COUNTERS[kind], {"counters": self.counters}))}'


def _facts(row: Row | None) -> object:
    """Everything that is drawn of a row: two rows with the same facts look the same."""
    if row is None:
        return None
    call = row.call
    return (
        (call.status, call.doubt, call.direction, call.from_endpoint, call.to_endpoint),
        (call.started_at, call.first_seen_at, call.ended_at),
        (row.state, row.over_at),
    )


def _draw(template: str, context: dict[str, Any]) -> str:
    """HTML for everybody: each browser fills in the person's zone and rights."""
    everybody = {"everybody": True, "now": timezone.now(), "request_id": uuid4()}
    return marked(get_template(template).render(context | everybody))
