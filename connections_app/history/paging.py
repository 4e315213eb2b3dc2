"""Keyset pages: the calls just older or just newer than a place in the list, however deep."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from django.db.models import Q
from django.http import QueryDict

from connections_app.models import Connection
from connections_app.models.connection import ConnectionQuerySet

PAGE_ROWS = 50


class BadPlace(ValueError):
    """A `before` or `after` that does not name a place in the list."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call stands in the list: its time, and its number among calls of the same time."""

    at: datetime
    pk: int

    @classmethod
    def of(cls, call: Connection) -> Self:
        return cls(call.at, call.pk)

    @classmethod
    def parse(cls, text: str) -> Self:
        try:
            micros, pk = text.split("-")
            seconds, rest = divmod(int(micros), 1_000_000)
            at = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)
            if not 0 <= int(pk) < 2**63:
                raise ValueError
            return cls(at, int(pk))
        except (ValueError, OverflowError, OSError):
            raise BadPlace(text) from None

    def __str__(self) -> str:
        elapsed = self.at - datetime(1970, 1, 1, tzinfo=UTC)
        micros = (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds
        return f"{micros}-{self.pk}"


@dataclass(frozen=True, slots=True)
class CallsPage:
    """Up to 50 calls, newest first, and the query strings of the pages beside it (None: there is none)."""

    calls: list[Connection]
    older_url: str | None
    newer_url: str | None


def page(calls: ConnectionQuerySet, query: QueryDict) -> CallsPage:
    """The page that `query` asks for with `before` or `after`; the newest without. One database query.

    Raises `BadPlace`.
    """
    if after := query.get("after"):
        return _page_after(calls, Place.parse(after), query)
    before = query.get("before")
    place = Place.parse(before) if before else None
    rows = list((_older_than(calls, place) if place else calls).for_rows().newest_first()[: PAGE_ROWS + 1])
    shown = rows[:PAGE_ROWS]
    return CallsPage(
        shown,
        _address(query, "before", shown[-1]) if len(rows) > PAGE_ROWS else None,
        _address(query, "after", shown[0]) if place and shown else None,
    )


def _page_after(calls: ConnectionQuerySet, place: Place, query: QueryDict) -> CallsPage:
    rows = list(_newer_than(calls, place).for_rows().order_by("at", "id")[: PAGE_ROWS + 1])
    shown = rows[:PAGE_ROWS][::-1]
    return CallsPage(
        shown,
        _address(query, "before", shown[-1]) if shown else None,
        _address(query, "after", shown[0]) if len(rows) > PAGE_ROWS else None,
    )


def _older_than(calls: ConnectionQuerySet, place: Place) -> ConnectionQuerySet:
    return calls.filter(at__lte=place.at).exclude(Q(at=place.at) & Q(id__gte=place.pk))


def _newer_than(calls: ConnectionQuerySet, place: Place) -> ConnectionQuerySet:
    return calls.filter(at__gte=place.at).exclude(Q(at=place.at) & Q(id__lte=place.pk))


def _address(query: QueryDict, name: str, call: Connection) -> str:
    following = query.copy()
    following.pop("before", None)
    following.pop("after", None)
    following[name] = str(Place.of(call))
    return f"?{following.urlencode()}"
