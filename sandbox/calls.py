"""All calls of the account: a month of past ones, each computed from seed and index, and those added since.

A call's index is its place in the order of creation, by which the list is ordered. Past calls are computed
when they are read, so that millions of them do not delay the start.
"""

import json
import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from sandbox.parties import CLIENTS, NOT_VALID, OURS, numbers

MASK = 2**64 - 1
ODD = 0x9E3779B97F4A7C15
ODD_INVERSE = pow(ODD, -1, 2**64)
DAYS = 30
# Relative traffic of each hour of the day, and of each day of the week from Monday.
HOURS = (1, 1, 1, 1, 1, 2, 5, 12, 28, 40, 44, 42, 34, 38, 42, 40, 34, 26, 16, 10, 7, 5, 3, 2)
WEEK = (10, 10, 10, 10, 9, 3, 2)
CLIENT_DATA: tuple[Any, ...] = (
    {"username": "jimmy", "ticket": 4471},
    ["vip", "callback"],
    "<b>bold</b> & <script>alert(1)</script>",
    42,
    True,
    False,
    {"nested": {"deep": [1, None, "ü 😀"]}},
    0,
)

Row = dict[str, Any]


def iso(moment: datetime) -> str:
    """Return a UTC time as Sift writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=1024)
def _date(day: int) -> str:
    return f"{datetime.fromtimestamp(day * 86_400, UTC):%Y-%m-%dT}"


def iso_of(second: int) -> str:
    """Return seconds since 1970 as `iso` does, several times as fast."""
    day, second = divmod(second, 86_400)
    minute, second = divmod(second, 60)
    return f"{_date(day)}{minute // 60:02d}:{minute % 60:02d}:{second:02d}Z"


def busyness(moment: datetime) -> float:
    """Return the relative traffic in the hour of `moment`; the average of a week is 1."""
    weight = HOURS[moment.hour] * WEEK[moment.weekday()]
    return weight * 24 * 7 / (sum(HOURS) * sum(WEEK))


@dataclass
class World:
    """All calls of the account. `order` is "newest" or "oldest"."""

    seed: int
    past: int
    order: str = "newest"
    page_size: int = 50
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    added: dict[int, Any] = field(default_factory=dict)
    forgotten: set[int] = field(default_factory=set)
    changed: dict[int, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.next_index = self.past
        self.regulars = numbers(self.seed, 300)
        self.tail = numbers(self.seed + 1, 900)
        self.hours = self._hours()
        self.index_of: dict[str, int] = {}
        self.seeded = self.seed * 0xD1342543DE82EF95 & MASK
        self.now_second = int(self.now.timestamp())
        self.encoded = lru_cache(maxsize=200_000)(self._encoded)

    def warm(self, count: int) -> None:
        """Encode the first `count` past calls of the list now, so that no page waits for it later."""
        count = min(count, self.past)
        first = self.past - count if self.order == "newest" else 0
        for index in range(first, first + count):
            self.encoded(index)

    # Reading

    def indices(self, start: int, step: int) -> Iterator[int]:
        """Yield the indices of existing calls from `start` on, in steps of 1 or -1."""
        index = start
        while 0 <= index < self.next_index:
            if index not in self.forgotten and (index < self.past or index in self.added):
                yield index
            index += step

    def row(self, index: int) -> Any:
        """Return the call with all fields, as Sift retrieves it; a row that was added broken, as it is."""
        if index in self.changed:
            return self.changed[index]
        return self.added[index] if index >= self.past else self.past_call(index)

    def list_row(self, index: int) -> bytes:
        """Return the call as the list has it: encoded as JSON; 7 rows in 50 lack optional fields."""
        if index in self.changed or index >= self.past:
            return json.dumps(self.row(index)).encode()
        return self.encoded(index)

    def find(self, connection_id: str) -> int | None:
        """Return the index of a connection, or None if Sift does not know it."""
        index = self.index_of.get(connection_id)
        if index is None:
            index = self._past_index(connection_id)
        return None if index is None or index in self.forgotten else index

    def ids(self) -> list[str]:
        """Return the ids of all existing calls, oldest first."""
        rows = (self.row(index) for index in self.indices(0, 1))
        return [row["connection_id"] for row in rows if isinstance(row, dict) and "connection_id" in row]

    # Changing

    def add(self, row: Any) -> int:
        """Add a call as the newest one. Returns its index."""
        index = self.next_index
        self.added[index] = row
        if isinstance(row, dict) and isinstance(row.get("connection_id"), str):
            self.index_of[row["connection_id"]] = index
        self.next_index += 1
        return index

    def change(self, index: int, fields: Row) -> None:
        """Change fields of a call; None removes a field."""
        changed = dict(self.row(index)) | fields
        self.changed[index] = {name: value for name, value in changed.items() if value is not None}

    def new_row(self, given: Row | None = None) -> Row:
        """Return the row of a new call: the fields in `given`, and generated ones."""
        given = given or {}
        index = self.next_index
        row: Row = {"connection_id": self.id_of(index), "status": "finished"}
        if "status" not in given:
            now = iso(datetime.now(UTC))
            row |= {"start_time": now, "end_time": now}
        from_, to, direction = self.parties(index)
        return row | {"from": from_, "to": to, "direction": direction} | given

    # Generating

    def draw(self, index: int, what: int) -> float:
        """Return a number from 0 to 1, always the same for a call and a purpose `what`."""
        x = (self.seeded + index * 0x2545F4914F6CDD1D + what * ODD) & MASK
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
        return (x ^ (x >> 31)) / 2**64

    def id_of(self, index: int) -> str:
        """Return the connection id for an index."""
        x = ((index + 1) * ODD + self.seed) & MASK
        return f"{x ^ (x >> 32):016x}"

    def parties(self, index: int) -> tuple[str, str, str]:
        """Return (from, to, direction) as Sift defines it: incoming if Sift called the endpoint."""
        kind, choice = self.draw(index, 1), self.draw(index, 2)
        if kind < 0.3:
            other = f"webrtc:{CLIENTS[int(choice * len(CLIENTS))]}"
        elif kind < 0.32:
            other = NOT_VALID[int(choice * len(NOT_VALID))]
        elif kind < 0.8:
            other = self.regulars[int(choice**2 * len(self.regulars))]
        else:
            other = self.tail[int(choice * len(self.tail))]
        ours = OURS[int(self.draw(index, 3) * len(OURS))]
        return (ours, other, "incoming") if self.draw(index, 4) < 0.6 else (other, ours, "outgoing")

    def past_call(self, index: int) -> Row:
        """Return the row of a past call."""
        started = int(self._created(index) + round(2 + 18 * self.draw(index, 5)))
        from_, to, direction = self.parties(index)
        row: Row = {"connection_id": self.id_of(index), "status": "finished", "start_time": iso_of(started)}
        if self.draw(index, 6) < 0.08:
            row["status"] = "failed"
        else:
            row["end_time"] = iso_of(min(started + self.talk_seconds(index), max(started, self.now_second)))
        row |= {"from": from_, "to": to, "direction": direction}
        if self.draw(index, 7) < 0.2:
            row["client_data"] = CLIENT_DATA[int(self.draw(index, 8) * len(CLIENT_DATA))]
        return row

    def talk_seconds(self, index: int) -> int:
        """Return the duration of the talk: mostly one to five minutes, sometimes half an hour."""
        draw = self.draw
        spread = draw(index, 20) + draw(index, 21) + draw(index, 22) + draw(index, 23) - 2
        return round(150 * math.pow(4, spread))

    def _created(self, index: int) -> float:
        """Return when a past call was made, in seconds since 1970; busy hours have more calls."""
        position = (index + self.draw(index, 9)) / self.past * self.hours[-1]
        hour = min(bisect_right(self.hours, position), len(self.hours) - 1)
        before = self.hours[hour - 1] if hour else 0.0
        within = (position - before) / (self.hours[hour] - before)
        return self.now_second - 600 - DAYS * 86_400 + (hour + within) * 3600

    def _hours(self) -> list[float]:
        """Return the relative number of calls until the end of each hour of the month."""
        total, sums = 0.0, []
        for hour in range(24 * DAYS):
            total += busyness(self.now - timedelta(days=DAYS) + timedelta(hours=hour))
            sums.append(total)
        return sums

    def _encoded(self, index: int) -> bytes:
        row = self.past_call(index)
        if index % 50 < 7:
            for name in ("direction", "end_time", "client_data")[: 1 + index % 3]:
                row.pop(name, None)
        return json.dumps(row).encode()

    def _past_index(self, connection_id: str) -> int | None:
        try:
            x = int(connection_id, 16)
        except ValueError:
            return None
        index = (((x ^ (x >> 32)) - self.seed) * ODD_INVERSE & MASK) - 1
        return index if 0 <= index < self.past and self.id_of(index) == connection_id else None
