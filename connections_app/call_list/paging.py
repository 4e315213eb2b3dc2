"""Keyset pages of the list of calls: the calls just below or just above a place."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from django.db.models import F
from django.db.models.functions import Coalesce
from django.http import QueryDict

from connections_app.models import Connection
from connections_app.models.connection import NO_TALK, ConnectionQuerySet
from connections_app.web.paging import LARGEST_KEY, PAGE_ROWS, BadPlace, address, beyond, page_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# The parameters for the place of a page: below a call, or above it.
BELOW, ABOVE = "below", "above"
# The annotations of `Order.keyed`, by which calls are ordered.
KEYS = ("place_value", "place_pk")


@dataclass(frozen=True, slots=True)
class Place:
    """A call's place in the list: the value that orders it, as an integer, and its key among equal values."""

    value: int
    pk: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the place that `str()` wrote as `text`. Raises `BadPlace`."""
        try:
            # A value may be negative.
            value, _, pk = text.rpartition("-")
            place = cls(int(value), int(pk))
        except ValueError:
            raise BadPlace(text) from None
        if abs(place.value) > LARGEST_KEY or not 0 <= place.pk <= LARGEST_KEY or str(place) != text:
            raise BadPlace(text)
        return place

    def __str__(self) -> str:
        return f"{self.value}-{self.pk}"


@dataclass(frozen=True, slots=True)
class Order:
    """By time or by talk time, ascending or descending. `by_tag` orders by the time in the rows of the only
    tag, whose index gives the calls in order."""

    is_by_talk: bool
    descending: bool
    by_tag: bool = False

    @classmethod
    def by_time(cls, *, descending: bool = True, by_tag: bool = False) -> Self:
        """Return the order by time, newest first if `descending`."""
        return cls(False, descending, by_tag)

    @classmethod
    def by_talk(cls, *, descending: bool = True) -> Self:
        """Return the order by talk time, longest first if `descending`."""
        return cls(True, descending)

    def place_of(self, call: Connection) -> Place:
        """Return the place of `call` in this order."""
        if self.is_by_talk:
            return Place(NO_TALK if call.talk_seconds is None else call.talk_seconds, call.pk)
        return Place((call.at - EPOCH) // MICROSECOND, call.pk)

    def keyed(self, calls: ConnectionQuerySet) -> ConnectionQuerySet:
        """Return the calls with the values that order them as `place_value` and `place_pk`."""
        if self.is_by_talk:
            return calls.alias(place_value=Coalesce("talk_seconds", NO_TALK), place_pk=F("pk"))
        if self.by_tag:
            return calls.alias(place_value=F("call_tags__at"), place_pk=F("call_tags__connection_id"))
        return calls.alias(place_value=F("at"), place_pk=F("pk"))

    def sorted(self, calls: ConnectionQuerySet, *, upwards: bool = False) -> ConnectionQuerySet:
        """Return `calls` from `keyed` in this order, or in reverse with `upwards`."""
        if self.descending != upwards:
            return calls.order_by(F("place_value").desc(), F("place_pk").desc())
        return calls.order_by(F("place_value").asc(), F("place_pk").asc())

    def beyond(self, calls: ConnectionQuerySet, place: Place, *, upwards: bool = False) -> ConnectionQuerySet:
        """Return the `calls` from `keyed` after `place`, or before it with `upwards`. Raises `BadPlace`."""
        values = (self._value(place), place.pk)
        return beyond(calls, KEYS, values, descending=self.descending, upwards=upwards)

    def _value(self, place: Place) -> datetime | int:
        if self.is_by_talk:
            return place.value
        try:
            return EPOCH + place.value * MICROSECOND
        except OverflowError:
            raise BadPlace(str(place)) from None


@dataclass(frozen=True, slots=True)
class Page:
    """The place of a page in an order: its calls come after `place`, or before it with `upwards`."""

    order: Order
    place: Place | None = None
    upwards: bool = False

    @classmethod
    def from_query(cls, order: Order, query: QueryDict) -> Self:
        """Return the page at `below` or `above` of `query`, else the first page. Raises `BadPlace`."""
        if above := query.get(ABOVE):
            return cls(order, Place.parse(above), upwards=True)
        below = query.get(BELOW)
        return cls(order, Place.parse(below) if below else None)

    def of(self, calls: ConnectionQuerySet) -> ConnectionQuerySet:
        """Return the page's calls and one more, if any, nearest to the place first. Raises `BadPlace`."""
        calls = self.order.keyed(calls)
        if self.place:
            calls = self.order.beyond(calls, self.place, upwards=self.upwards)
        return self.order.sorted(calls, upwards=self.upwards)[: PAGE_ROWS + 1]

    def calls_page(self, rows: Sequence[Connection], query: QueryDict) -> "CallsPage":
        """Return the page from the rows of `of`, with the URLs of the next and the previous page."""
        page = page_of(rows, upwards=self.upwards, is_first=self.place is None, size=PAGE_ROWS)
        return CallsPage(
            page.rows, self._address(query, BELOW, page.last), self._address(query, ABOVE, page.first)
        )

    def _address(self, query: QueryDict, name: str, call: Connection | None) -> str | None:
        return address(query, name, self.order.place_of(call), (BELOW, ABOVE)) if call else None


@dataclass(frozen=True, slots=True)
class CallsPage:
    """Up to 50 calls in the list's order, and the URLs of the next and the previous page, if any."""

    calls: list[Connection]
    next_url: str | None = None
    previous_url: str | None = None
