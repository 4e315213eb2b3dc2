"""Reads calls for people who wait: within a time, and by another way where the first one is too slow."""

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

# The planner knows how often a value occurs, but not where in the list. When its way proves to be the wrong
# one, the other one is quick.
FIRST_TRY = timedelta(milliseconds=400)
SECOND_TRY = timedelta(seconds=2)
COUNTING = timedelta(milliseconds=50)
# More calls than this are not counted, but told by the planner's estimate; nor are those that would cost it
# more than so much, in its own unit: a page read in a row.
COUNTED_TO = 10_000
CHEAP = 2_500
Row = TypeVar("Row", bound=Model)
KINDS_OF_SORT = {"Sort", "Incremental Sort"}


class TooSlow(Exception):
    """The calls were not found within the time that a person waits."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many calls match; an estimate of the database's where `is_exact` is False."""

    calls: int
    is_exact: bool

    def __str__(self) -> str:
        if self.is_exact:
            return "1 call" if self.calls == 1 else f"{self.calls:,} calls"
        return f"about {_rounded(self.calls)} calls"


@contextmanager
def within(limit: timedelta) -> Iterator[None]:
    """A transaction whose statements may each take so long. Raises `TooSlow`."""
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
    """The calls of a page and one more, without the large columns. Raises `BadPlace`, `TooSlow`."""
    return read(page.of(calls.for_rows()))


def read(wanted: QuerySet[Row]) -> list[Row]:
    """These rows, of any table, sorted and cut to a page. Raises `TooSlow`."""
    try:
        with within(FIRST_TRY):
            return list(wanted)
    except TooSlow:
        sorts = any(node["Node Type"] in KINDS_OF_SORT for node in _nodes(_plan(wanted)))
        with within(SECOND_TRY):
            _forbid_sorting() if sorts else _forbid_order()
            return list(wanted)


def count(calls: ConnectionQuerySet) -> Count:
    """How many calls there are of these: exact where that is cheap."""
    plan = _plan(calls.order_by().values("pk"))
    expected = int(plan["Plan Rows"])
    if expected > COUNTED_TO or plan["Total Cost"] > CHEAP:
        return Count(expected, is_exact=False)
    try:
        with within(COUNTING):
            counted = calls.order_by()[: COUNTED_TO + 1].count()
    except TooSlow:
        return Count(expected, is_exact=False)
    return Count(max(counted, expected), is_exact=False) if counted > COUNTED_TO else Count(counted, True)


def _plan(calls: QuerySet[Any]) -> dict[str, Any]:
    explained = calls.explain(format="json")
    plan: dict[str, Any] = json.loads(explained)[0]["Plan"]
    return plan


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


def _forbid_sorting() -> None:
    """The calls are read in the list's order, until a page is full."""
    with database.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")


def _forbid_order() -> None:
    """All calls that match are found, and then sorted."""
    with database.cursor() as cursor:
        cursor.execute("SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off")


def _rounded(calls: int) -> str:
    if calls >= 1_000_000:
        return f"{calls / 1_000_000:.1f} million"
    digits = max(0, len(str(calls)) - 2)
    return f"{round(calls, -digits):,}"
