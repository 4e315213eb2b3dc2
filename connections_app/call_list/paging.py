"""Keyset pages: the calls just below or just above a place in the list, however deep."""

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
# Where a page begins: below a call, or above one.
BELOW, ABOVE = "below", "above"
# What the calls of `Order.keyed` are ordered by.
KEYS = ("place_value", "place_pk")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call stands: what the list is ordered by, as a whole number, and its key among the same."""

    value: int
    pk: int

    @classmethod
    def parse(cls, text: str) -> Self:
        try:
            # A value may be below nothing.
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
    """By time or by talk time, first or last first. `by_tag` is the time as the one tag's own row has it,
    whose index then gives the calls in order."""

    is_by_talk: bool
    descending: bool
    by_tag: bool = False

    @classmethod
    def by_time(cls, *, descending: bool = True, by_tag: bool = False) -> Self:
        return cls(False, descending, by_tag)

    @classmethod
    def by_talk(cls, *, descending: bool = True) -> Self:
        return cls(True, descending)

    def place_of(self, call: Connection) -> Place:
        if self.is_by_talk:
            return Place(NO_TALK if call.talk_seconds is None else call.talk_seconds, call.pk)
        return Place((call.at - EPOCH) // MICROSECOND, call.pk)

    def keyed(self, calls: ConnectionQuerySet) -> ConnectionQuerySet:
        """The calls, with what they are ordered by as `place_value` and `place_pk`."""
        if self.is_by_talk:
            return calls.alias(place_value=Coalesce("talk_seconds", NO_TALK), place_pk=F("pk"))
        if self.by_tag:
            return calls.alias(place_value=F("call_tags__at"), place_pk=F("call_tags__connection_id"))
        return calls.alias(place_value=F("at"), place_pk=F("pk"))

    def sorted(self, calls: ConnectionQuerySet, *, upwards: bool = False) -> ConnectionQuerySet:
        """`calls` from `keyed` in this order, or the other way round."""
        if self.descending != upwards:
            return calls.order_by(F("place_value").desc(), F("place_pk").desc())
        return calls.order_by(F("place_value").asc(), F("place_pk").asc())

    def beyond(self, calls: ConnectionQuerySet, place: Place, *, upwards: bool = False) -> ConnectionQuerySet:
        """Those of `calls` from `keyed` that follow `place`, or that come before it. Raises `BadPlace`."""
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
    """Which calls a page is to show: those beyond `place`, upwards or downwards; from the top without one."""

    order: Order
    place: Place | None = None
    upwards: bool = False

    @classmethod
    def asked(cls, order: Order, query: QueryDict) -> Self:
        """The page that `query` asks for with `below` or `above`. Raises `BadPlace`."""
        if above := query.get(ABOVE):
            return cls(order, Place.parse(above), upwards=True)
        below = query.get(BELOW)
        return cls(order, Place.parse(below) if below else None)

    def of(self, calls: ConnectionQuerySet) -> ConnectionQuerySet:
        """Its calls and one more, where there is one, from the place on. Raises `BadPlace`."""
        calls = self.order.keyed(calls)
        if self.place:
            calls = self.order.beyond(calls, self.place, upwards=self.upwards)
        return self.order.sorted(calls, upwards=self.upwards)[: PAGE_ROWS + 1]

    def made_of(self, rows: Sequence[Connection], query: QueryDict) -> "CallsPage":
        """The page from what `of` gave, with the addresses of its neighbours."""
        page = page_of(rows, upwards=self.upwards, is_first=self.place is None, size=PAGE_ROWS)
        return CallsPage(
            page.rows, self._address(query, BELOW, page.last), self._address(query, ABOVE, page.first)
        )

    def _address(self, query: QueryDict, name: str, call: Connection | None) -> str | None:
        return address(query, name, self.order.place_of(call), (BELOW, ABOVE)) if call else None


@dataclass(frozen=True, slots=True)
class CallsPage:
    """Up to 50 calls in the list's order, and the addresses of the pages beside it (None: there is none)."""

    calls: list[Connection]
    next_url: str | None = None
    previous_url: str | None = None
