"""The content of the board: the calls in progress, and the figures of the last hour."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, Q

from connections_app.calls.answered import ANSWER, DEFINITION, Answer
from connections_app.calls.call_state import CallState, ShownCall, shown_to, shown_to_all, with_state
from connections_app.calls.endpoints import endpoint_of, party_of
from connections_app.live.board_filter import Filter, Ways, folded_text, matches
from connections_app.models import Connection, Operator, Status

LIMIT = 500


@dataclass(frozen=True, slots=True)
class Row(ShownCall):
    """A call on the board. `over_at` is when it was found to have ended."""

    over_at: datetime | None = None
    is_hidden: bool = False

    @property
    def find(self) -> str:
        """Return the text that the filter searches."""
        return find_text(self.call, self.state)


class LastHour(NamedTuple):
    """Counts of the calls that began in the last hour.

    `answered_percent` is the share of the calls known to be answered or not, None without any;
    `unknown_last_hour` counts the ended calls of which this is not known.
    """

    last_hour: int
    failed_last_hour: int
    answered_percent: float | None
    unknown_last_hour: int = 0


@dataclass(frozen=True, slots=True)
class Counters:
    """The figures above the rows. `longest` is the longest connected call that Sift confirms."""

    connecting: int
    connected: int
    longest: Connection | None
    last_hour: int
    failed_last_hour: int
    answered_percent: float | None
    unknown_last_hour: int

    @property
    def answered_means(self) -> str:
        """Return the definition of "answered", for people."""
        return DEFINITION


@dataclass(frozen=True, slots=True)
class Board:
    """`rows` are longest first; `more` counts calls not listed, `hidden` rows hidden by the filter."""

    counters: Counters
    rows: list[Row]
    more: int
    hidden: int


def board(operator: Operator | None, requested: Filter, now: datetime) -> Board:
    """Return the board as `operator` sees it; with None, as a wall shows it.

    Three queries, and those for the operator's permissions.
    """
    calls, ways = in_progress(), requested.ways
    rows = [
        Row(one.call, one.state, one.is_mine, one.may_steer, is_hidden=_hides(requested, ways, one))
        for one in (shown_to(operator, calls[:LIMIT], now) if operator else shown_to_all(calls[:LIMIT], now))
    ]
    states = states_of(row.call for row in rows) if len(calls) <= LIMIT else counted_states()
    counters = Counters(states[Status.CONNECTING], states[Status.CONNECTED], longest(rows), *last_hour(now))
    return Board(counters, rows, sum(states.values()) - len(rows), sum(row.is_hidden for row in rows))


def in_progress() -> list[Connection]:
    """Return up to `LIMIT` + 1 calls in progress with their states, longest first. Two queries."""
    return with_state(
        Connection.objects.in_progress().longest_first().values_list("pk", flat=True)[: LIMIT + 1]
    )


def states_of(calls: Iterable[Connection]) -> dict[str, int]:
    """Return how many of `calls` are connecting and connected."""
    states = {Status.CONNECTING.value: 0, Status.CONNECTED.value: 0}
    for call in calls:
        if call.is_in_progress:
            states[call.status] += 1
    return states


def counted_states() -> dict[str, int]:
    """Return how many calls are connecting and connected, listed on the board or not. One query."""
    by_status = Connection.objects.in_progress().order_by().values_list("status")
    return states_of(()) | dict(by_status.annotate(Count("pk")))


def longest(rows: Iterable[Row]) -> Connection | None:
    """Return the first connected call of `rows`, which are sorted longest first."""
    return next(
        (row.call for row in rows if row.call.status == Status.CONNECTED and not row.call.doubt), None
    )


def last_hour(now: datetime) -> LastHour:
    """Return the figures of the hour before `now`. One query."""
    begun = Connection.objects.filter(at__gte=now - timedelta(hours=1), at__lte=now)
    hour = begun.annotate(answer=ANSWER).aggregate(
        begun=Count("id"),
        failed=Count("id", filter=Q(status=Status.FAILED)),
        answered=Count("id", filter=Q(answer=Answer.ANSWERED)),
        not_answered=Count("id", filter=Q(answer=Answer.NOT_ANSWERED)),
        unknown=Count("id", filter=Q(answer=Answer.UNKNOWN)),
    )
    known = hour["answered"] + hour["not_answered"]
    percent = 100 * hour["answered"] / known if known else None
    return LastHour(hour["begun"], hour["failed"], percent, hour["unknown"])


def _hides(requested: Filter, ways: Ways, shown: ShownCall) -> bool:
    if requested.mine and not shown.is_mine:
        return True
    return not matches(ways, find_text(shown.call, shown.state)) if ways else False


def find_text(call: Connection, state: CallState) -> str:
    """Return what the filter searches: id, status, both ends as stored and as shown, operator and routine."""
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
        state.placed_by,
        state.routine.name if state.routine else "",
    )
    return folded_text(" ".join(filter(None, words)))
