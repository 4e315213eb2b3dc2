"""Keyset pages: the rows after or before a place in an index order. All pages cost the same."""

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
    """Raised for a text that is not a place in the list."""


@dataclass(frozen=True, slots=True)
class KeysetPage(Generic[AnyRow]):
    """The rows of a page in the list's order.

    `last` is its last row if more rows follow, and `first` its first row if rows come before; else None.
    """

    rows: list[AnyRow]
    first: AnyRow | None
    last: AnyRow | None


def beyond(
    rows: Rows, keys: Sequence[str], values: Sequence[Any], *, descending: bool, upwards: bool
) -> Rows:
    """Return the `rows` after the one with these `values` of `keys`, or before it with `upwards`.

    `descending` means that the list is in descending order of `keys`.
    """
    compares = TupleLessThan if descending != upwards else TupleGreaterThan
    return rows.filter(compares(Tuple(*map(F, keys)), tuple(values)))


def page_of(rows: Sequence[AnyRow], *, upwards: bool, is_first: bool, size: int) -> KeysetPage[AnyRow]:
    """Return the page from up to `size` + 1 rows, nearest to its place first.

    `is_first` means that the page has no place: no rows come before it.
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
    """Return the query string of the page at `place`, in the parameter `name`; omit those in `without`."""
    following = query.copy()
    for other in without:
        following.pop(other, None)
    following[name] = str(place)
    return f"?{following.urlencode()}"
