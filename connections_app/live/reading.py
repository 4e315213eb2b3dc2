"""The board as one web process knows it: read once and drawn once for everybody who watches.

A reader is used by one thread at a time. It holds what every stream has been told, so that a reading can tell
what is new, and a new stream can be given the whole board without a query.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from time import monotonic
from typing import Any
from uuid import uuid4

from django.template.loader import get_template
from django.utils import timezone

from connections_app.freshness import freshness
from connections_app.live import board
from connections_app.live.board import Counters, LastHour, Row
from connections_app.live.packing import Piece
from connections_app.models import Connection, ConnectionEvent, Doubt, Status
from connections_app.standing import standing_of, with_standing

# So long a call that is over stays on the board.
STAYS = timedelta(seconds=10)
# The figures of the last hour are counted anew this often at the most.
HOUR_EVERY = 1.0
# So many of the change feed's last entries are looked at again: a transaction may commit after a later one.
OVERLAP = 500
# So many calls are remembered by their last change that was told.
REMEMBERED = 10_000


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


class Reader:
    """`number` counts the changes; `mark` is the freshness mark's HTML."""

    def __init__(self) -> None:
        self.number = 0
        self.rows: dict[int, Row] = {}
        self.html: dict[tuple[int, Kind], Json] = {}
        self.more = 0
        self.hour = LastHour(0, 0, None)
        self.hour_read = float("-inf")
        self.hour_is_due = True
        self.counters: Counters | None = None
        self.freshness: object = None
        self.mark = json.dumps("")
        self.fed: int | None = None
        self.told: dict[int, int] = {}
        self.snapshots: dict[Kind, Snapshot] = {}

    def read(self, calls: Collection[int], kinds: Iterable[Kind]) -> Change | None:
        """Read the calls with these keys, which were announced. One query, and one a second for the hour."""
        now = timezone.now()
        found = with_standing(calls)
        return self._change(found, set(calls) - {call.pk for call in found}, set(), kinds, now)

    def read_whole(self, kinds: Iterable[Kind]) -> Change | None:
        """Compare the whole board, and the change feed, with what was told. Six queries at the most.

        So what was never announced is told as well.
        """
        now = timezone.now()
        found = board.in_progress()
        if len(found) > board.LIMIT:
            self.more = sum(board.counted_states().values()) - board.LIMIT
        else:
            self.more = 0
        shown = {call.pk for call in found}
        left = [pk for pk, row in self.rows.items() if row.over_at is None and pk not in shown]
        over = with_standing(left) if left else []
        missing = set(left) - {call.pk for call in over}
        self.hour_is_due = True
        self.read_mark()
        return self._change([*over, *found], missing, self._fed(), kinds, now)

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
            rows = sorted(self.rows.values(), key=lambda row: (row.call.at, row.call.pk))
            body = f'"rows":[{",".join(self._row(row, kind) for row in rows)}],"more":{self.more}'
            drawn = Piece.of(f"{body}{self._counters(kind)}".encode())
            known = self.snapshots[kind] = Snapshot(self.number, drawn)
        return known

    def _change(
        self,
        found: Iterable[Connection],
        missing: set[int],
        others: set[str],
        kinds: Iterable[Kind],
        now: datetime,
    ) -> Change | None:
        """Take in what was read, and draw what differs from what was told."""
        self._forget_ended(now)
        rows, gone = [], [pk for pk in missing if self.rows.pop(pk, None)]
        for call in found:
            self.told[call.pk] = call.change_number
            row = self._row_of(call, now)
            if row is None:
                others.add(call.connection_id)
                if self.rows.pop(call.pk, None):
                    gone.append(call.pk)
            elif _facts(row) != _facts(self.rows.get(call.pk)):
                self.rows[call.pk] = row
                rows.append(row)
        counters = self._new_counters(now)
        if not (rows or gone or others or counters):
            return None
        self._forget_drawings([*(row.call.pk for row in rows), *gone])
        self.number += 1
        told = f'"gone":{json.dumps(gone)},"others":{json.dumps(sorted(others))},"more":{self.more}'
        return Change(
            self.number,
            {
                kind: f'"rows":[{",".join(self._row(row, kind) for row in rows)}],{told}'
                + (self._counters(kind) if counters else "")
                for kind in kinds
            },
        )

    def _row_of(self, call: Connection, now: datetime) -> Row | None:
        """The call as the board shows it; None where it is not, or no longer, on the board."""
        known = self.rows.get(call.pk)
        row = Row(call, standing_of(call, now), is_mine=False, may_steer=True)
        if call.is_in_progress:
            return row if known or self._has_room() else None
        if known is None or call.doubt == Doubt.LOST:
            return None
        return replace(row, over_at=known.over_at or now)

    def _has_room(self) -> bool:
        return sum(row.over_at is None for row in self.rows.values()) < board.LIMIT

    def _forget_ended(self, now: datetime) -> None:
        """Every browser takes them off by itself."""
        ended = [pk for pk, row in self.rows.items() if row.over_at and row.over_at < now - STAYS]
        for pk in ended:
            del self.rows[pk]
        if ended:
            self._forget_drawings(ended)

    def _forget_drawings(self, calls: Iterable[int]) -> None:
        self.snapshots.clear()
        for pk in calls:
            for kind in Kind:
                self.html.pop((pk, kind), None)

    def _new_counters(self, now: datetime) -> bool:
        """Count again; whether a figure changed."""
        if self.hour_is_due or monotonic() - self.hour_read > HOUR_EVERY:
            self.hour, self.hour_read, self.hour_is_due = board.last_hour(now), monotonic(), False
        rows = sorted(self.rows.values(), key=lambda row: (row.call.at, row.call.pk))
        states = board.states_of(row.call for row in rows)
        counters = Counters(
            states[Status.CONNECTING], states[Status.CONNECTED] + self.more, board.longest(rows), *self.hour
        )
        is_new, self.counters = counters != self.counters, counters
        if is_new:
            self.snapshots.clear()
        return is_new

    def _fed(self) -> set[str]:
        """The ids of calls whose last change stands in the change feed, and was not told."""
        if len(self.told) > REMEMBERED:
            self.told.clear()
        is_first, last = self.fed is None, self.fed or 0
        fed = list(
            ConnectionEvent.objects.filter(pk__gt=last - OVERLAP)
            .order_by("-pk")
            .values_list("pk", "connection_id", "change_number", "connection__connection_id")[:OVERLAP]
        )
        new = set()
        for pk, call, number, connection_id in reversed(fed):
            last = max(last, pk)
            if self.told.get(call, 0) < number:
                self.told[call] = number
                new.add(connection_id)
        self.fed = last
        return set() if is_first else new

    def _row(self, row: Row, kind: Kind) -> Json:
        key = (row.call.pk, kind)
        if key not in self.html:
            told: dict[str, Any] = {
                "id": row.call.pk,
                "call": row.call.connection_id,
                "status": row.call.status,
                "over": row.over_at.astimezone(UTC).isoformat() if row.over_at else None,
            }
            if kind in ROWS:
                told["html"] = _draw(ROWS[kind], {"row": row})
            self.html[key] = json.dumps(told)
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
        (row.standing, row.over_at),
    )


def _draw(template: str, context: dict[str, Any]) -> str:
    """HTML for everybody: each browser fills in the person's zone and rights."""
    return get_template(template).render(
        context | {"everybody": True, "now": timezone.now(), "request_id": uuid4()}
    )
