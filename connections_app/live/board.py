"""What the board shows: the calls in progress, and the last hour in figures."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from connections_app.models import Connection, Operator, Status
from connections_app.standing import Standing, standing_of

LIMIT = 200


@dataclass(frozen=True, slots=True)
class Counters:
    """`longest` is the longest call in progress that Sift confirms; the rest counts calls.

    `answered_percent` is of the calls begun in the last hour that have ended or connected; None without any.
    """

    connecting: int
    connected: int
    longest: Connection | None
    last_hour: int
    failed_last_hour: int
    answered_percent: float | None


@dataclass(frozen=True, slots=True)
class Board:
    """`rows` are the calls with how each stands for the person who looks."""

    counters: Counters
    rows: list[tuple[Connection, Standing]]
    more: int


def board(operator: Operator, now: datetime) -> Board:
    """The calls in progress, longest first, at most 200 of them, and the counters. Six queries."""
    in_progress = Connection.objects.in_progress()
    calls = list(in_progress.for_rows().longest_first()[:LIMIT])
    counts = in_progress.aggregate(
        connecting=Count("id", filter=Q(status=Status.CONNECTING)),
        connected=Count("id", filter=Q(status=Status.CONNECTED)),
    )
    hour = Connection.objects.filter(at__gte=now - timedelta(hours=1), at__lte=now).aggregate(
        all=Count("id"),
        failed=Count("id", filter=Q(status=Status.FAILED)),
        answered=Count("id", filter=Q(status__in=[Status.CONNECTED, Status.FINISHED])),
    )
    decided = hour["failed"] + hour["answered"]
    counters = Counters(
        connecting=counts["connecting"],
        connected=counts["connected"],
        longest=next((call for call in calls if call.status == Status.CONNECTED and not call.doubt), None),
        last_hour=hour["all"],
        failed_last_hour=hour["failed"],
        answered_percent=100 * hour["answered"] / decided if decided else None,
    )
    standing = standing_of(calls, operator, now)
    rows = [(call, standing[call.pk]) for call in calls]
    return Board(counters, rows, counts["connecting"] + counts["connected"] - len(calls))
