"""Keyset pages: the rows just beyond a place in the order of an index, which cost the same however deep."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import F, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.http import QueryDict

PAGE_ROWS = 50
LARGEST_KEY = 2**63 - 1  # PostgreSQL's bigint

AnyRow = TypeVar("AnyRow")
Rows = TypeVar("Rows", bound="QuerySet[Any]")


class BadPlace(ValueError):
    """A text that names no place in the list."""


@dataclass(frozen=True, slots=True)
class KeysetPage(Generic[AnyRow]):
    """The rows of a page in the list's order.

    `last` is its last row where further rows follow, and `first` its first row where rows come before; else
    None.
    """

    rows: list[AnyRow]
    first: AnyRow | None
    last: AnyRow | None


def beyond(
    rows: Rows, keys: Sequence[str], values: Sequence[Any], *, descending: bool, upwards: bool
) -> Rows:
    """Return those of `rows` that follow the one with these `values` of `keys`, or with `upwards` come before
    it.

    `descending` says whether the list is ordered from the largest to the smallest values of `keys`.
    """
    compares = TupleLessThan if descending != upwards else TupleGreaterThan
    return rows.filter(compares(Tuple(*map(F, keys)), tuple(values)))


def page_of(rows: Sequence[AnyRow], *, upwards: bool, is_first: bool, size: int) -> KeysetPage[AnyRow]:
    """Return the page from up to `size` + 1 rows as they were read, nearest to its place first.

    `is_first` says that no place was asked for: nothing comes before the page.
    """
    shown, is_more = list(rows[:size]), len(rows) > size
    if upwards:
        shown.reverse()
    has_next = upwards or is_more
    has_previous = is_more if upwards else not is_first
    return KeysetPage(
        shown, shown[0] if shown and has_previous else None, shown[-1] if shown and has_next else None
    )


def address(query: QueryDict, name: str, place: object, without: Collection[str]) -> str:
    """Return the query string that asks for the page at `place` by the parameter `name`.

    `without` are left out.
    """
    following = query.copy()
    for other in without:
        following.pop(other, None)
    following[name] = str(place)
    return f"?{following.urlencode()}"
