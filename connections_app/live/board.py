"""What the board shows: the calls in progress, and the last hour in figures."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Self

from django.db.models import Count, Q
from django.http import QueryDict

from connections_app.endpoints import endpoint_of, party_of
from connections_app.models import Connection, Operator, Status
from connections_app.standing import Shown, Standing, shown_to, shown_to_all, with_standing

LIMIT = 500
# A word of a filter that is a piece of a number, as people write it.
PIECE_OF_NUMBER = re.compile(r"[\d+().\-/]*\d[\d+().\-/]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Row(Shown):
    """A call on the board. `find` is what the filter looks in; `over_at` is when it was seen to be over."""

    over_at: datetime | None = None
    is_hidden: bool = False

    @property
    def find(self) -> str:
        return find_text(self.call, self.standing)

    @property
    def ends(self) -> str:
        """Both ends as Sift writes them, in lower case, a line each."""
        return f"{self.call.from_endpoint or ''}\n{self.call.to_endpoint or ''}".lower()


class LastHour(NamedTuple):
    """Calls begun in the last hour; `answered_percent` is of those that ended or connected, None without."""

    last_hour: int
    failed_last_hour: int
    answered_percent: float | None


@dataclass(frozen=True, slots=True)
class Counters:
    """`longest` is the longest connected call that Sift confirms; the rest is as in `LastHour`."""

    connecting: int
    connected: int
    longest: Connection | None
    last_hour: int
    failed_last_hour: int
    answered_percent: float | None


@dataclass(frozen=True, slots=True)
class Filter:
    """What a person asked of the board: their own calls only, and words that must stand in a row."""

    mine: bool = False
    q: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> Self:
        return cls(mine=query.get("mine") == "1", q=query.get("q", "").strip()[:200])

    def hides(self, shown: Shown) -> bool:
        return (self.mine and not shown.is_mine) or not matches(self.q, find_text(shown.call, shown.standing))


@dataclass(frozen=True, slots=True)
class Board:
    """`rows` are the calls in progress, longest first; `more` are not listed, `hidden` are by the filter."""

    counters: Counters
    rows: list[Row]
    more: int
    hidden: int


def board(operator: Operator | None, asked: Filter, now: datetime) -> Board:
    """The board as `operator` sees it; with None, as a wall shows it. Three queries, and their rights."""
    calls = in_progress()
    rows = [
        Row(one.call, one.standing, one.is_mine, one.may_steer, is_hidden=asked.hides(one))
        for one in (shown_to(operator, calls[:LIMIT], now) if operator else shown_to_all(calls[:LIMIT], now))
    ]
    states = states_of(row.call for row in rows) if len(calls) <= LIMIT else counted_states()
    counters = Counters(states[Status.CONNECTING], states[Status.CONNECTED], longest(rows), *last_hour(now))
    return Board(counters, rows, sum(states.values()) - len(rows), sum(row.is_hidden for row in rows))


def in_progress() -> list[Connection]:
    """The calls in progress with how they stand, longest first: one more than is shown. Two queries."""
    return with_standing(
        Connection.objects.in_progress().longest_first().values_list("pk", flat=True)[: LIMIT + 1]
    )


def states_of(calls: Iterable[Connection]) -> dict[str, int]:
    """How many of `calls` are connecting and connected."""
    states = {Status.CONNECTING.value: 0, Status.CONNECTED.value: 0}
    for call in calls:
        if call.is_in_progress:
            states[call.status] += 1
    return states


def counted_states() -> dict[str, int]:
    """How many calls are connecting and connected, where there are more than the board shows. One query."""
    by_status = Connection.objects.in_progress().order_by().values_list("status")
    return states_of(()) | dict(by_status.annotate(Count("pk")))


def longest(rows: Iterable[Row]) -> Connection | None:
    """The longest connected call of `rows`, which come longest first."""
    return next(
        (row.call for row in rows if row.call.status == Status.CONNECTED and not row.call.doubt), None
    )


def last_hour(now: datetime) -> LastHour:
    """The figures of the hour before `now`. One query."""
    hour = Connection.objects.filter(at__gte=now - timedelta(hours=1), at__lte=now).aggregate(
        begun=Count("id"),
        failed=Count("id", filter=Q(status=Status.FAILED)),
        answered=Count("id", filter=Q(status__in=[Status.CONNECTED, Status.FINISHED])),
    )
    decided = hour["failed"] + hour["answered"]
    return LastHour(hour["begun"], hour["failed"], 100 * hour["answered"] / decided if decided else None)


def find_text(call: Connection, standing: Standing) -> str:
    """What the filter looks in: both ends as they are written and shown, status, operator, routine and id."""
    party = party_of(call)
    words = (
        call.connection_id,
        call.doubt or call.status,
        *(
            part
            for written in (call.from_endpoint, call.to_endpoint)
            for part in (written or "", endpoint_of(written).text if written else "")
        ),
        party.name,
        party.where,
        standing.placed_by,
        standing.runs,
    )
    return " ".join(filter(None, words)).lower()


def matches(q: str, find: str) -> bool:
    """Whether every word of `q` stands in `find`; a piece of a number is compared by its digits and +."""
    return all(_plain(word) in find for word in q.lower().split())


def _plain(word: str) -> str:
    return re.sub(r"[^\d+]", "", word) if PIECE_OF_NUMBER.fullmatch(word) else word
