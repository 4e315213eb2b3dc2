"""Read calls within a time limit, and with another query plan if the first one is too slow."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from django.db import OperationalError, transaction
from django.db import connection as database
from django.db.models import Model, QuerySet
from psycopg.errors import QueryCanceled

from connections_app.call_list.paging import Page
from connections_app.models import Connection
from connections_app.models.connection import ConnectionQuerySet

# The planner knows how often a value occurs, but not where in the list. If its plan is slow, the other plan
# is fast.
FIRST_TIMEOUT = timedelta(milliseconds=400)
SECOND_TIMEOUT = timedelta(seconds=2)
COUNT_TIMEOUT = timedelta(milliseconds=50)
# Beyond either limit, the planner's estimate is shown instead of an exact count.
MAX_COUNTED = 10_000
MAX_COUNT_COST = 2_500  # in the planner's unit: one sequential page read
Row = TypeVar("Row", bound=Model)
KINDS_OF_SORT = {"Sort", "Incremental Sort"}


class TooSlow(Exception):
    """Raised if the calls were not read within the time limit."""


@dataclass(frozen=True, slots=True)
class Count:
    """The number of calls that match; the planner's estimate if `is_exact` is False."""

    calls: int
    is_exact: bool

    def __str__(self) -> str:
        if self.is_exact:
            return "1 call" if self.calls == 1 else f"{self.calls:,} calls"
        return f"about {_rounded(self.calls)} calls"


@contextmanager
def within(limit: timedelta) -> Iterator[None]:
    """Open a transaction whose statements may each take `limit`. Raises `TooSlow`."""
    try:
        with transaction.atomic(), database.cursor() as cursor:
            milliseconds = limit // timedelta(milliseconds=1)
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(milliseconds)])
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TooSlow from error
        raise


def calls_on(page: Page, calls: ConnectionQuerySet) -> list[Connection]:
    """Return the calls of a page and one more, without the large columns. Raises `BadPlace`, `TooSlow`."""
    return read(page.of(calls.for_rows()))


def read(rows: QuerySet[Row]) -> list[Row]:
    """Return the rows of a sorted query of any table that is limited to a page. Raises `TooSlow`."""
    try:
        with within(FIRST_TIMEOUT):
            return list(rows)
    except TooSlow:
        sorts = any(node["Node Type"] in KINDS_OF_SORT for node in _nodes(_plan(rows)))
        with within(SECOND_TIMEOUT):
            _forbid_sorting() if sorts else _forbid_order()
            return list(rows)


def count(calls: ConnectionQuerySet) -> Count:
    """Return the number of these calls: exact if that is cheap to count."""
    plan = _plan(calls.order_by().values("pk"))
    expected = int(plan["Plan Rows"])
    if expected > MAX_COUNTED or plan["Total Cost"] > MAX_COUNT_COST:
        return Count(expected, is_exact=False)
    try:
        with within(COUNT_TIMEOUT):
            counted = calls.order_by()[: MAX_COUNTED + 1].count()
    except TooSlow:
        return Count(expected, is_exact=False)
    return Count(max(counted, expected), is_exact=False) if counted > MAX_COUNTED else Count(counted, True)


def _plan(calls: QuerySet[Any]) -> dict[str, Any]:
    explained = calls.explain(format="json")
    plan: dict[str, Any] = json.loads(explained)[0]["Plan"]
    return plan


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


def _forbid_sorting() -> None:
    """Have the planner read the calls in the list's order, until a page is full."""
    with database.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")


def _forbid_order() -> None:
    """Have the planner find all calls that match, and then sort them."""
    with database.cursor() as cursor:
        cursor.execute("SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off")


def _rounded(calls: int) -> str:
    if calls >= 1_000_000:
        return f"{calls / 1_000_000:.1f} million"
    digits = max(0, len(str(calls)) - 2)
    return f"{round(calls, -digits):,}"
