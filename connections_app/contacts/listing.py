"""The list of contacts, by name: pages that begin at a place, however many there are."""

from dataclasses import dataclass
from typing import Self

from django.db.models import F, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.db.models.functions import Lower
from django.http import QueryDict

from connections_app.contacts.forms import LONGEST_NAME, ContactsForm
from connections_app.models import Contact
from connections_app.phonebook import matching

PAGE_ROWS = 50
# Up to here contacts are counted; more of them are "more than".
COUNTED_TO = 10_000
LARGEST_KEY = 2**63 - 1
AFTER, BEFORE = "after", "before"


class BadPlace(ValueError):
    """An `after` or `before` that does not name a place in the list."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a contact stands: its name in lower case, and its key among those of the same name."""

    name: str
    pk: int

    @classmethod
    def parse(cls, text: str) -> Self:
        pk, colon, name = text.partition(":")
        is_key = pk.isascii() and pk.isdigit() and len(pk) < 20 and int(pk) <= LARGEST_KEY
        if not colon or not is_key or len(name) > 2 * LONGEST_NAME or "\x00" in name:
            raise BadPlace(text)
        return cls(name, int(pk))

    def __str__(self) -> str:
        return f"{self.pk}:{self.name}"


@dataclass(frozen=True, slots=True)
class ContactsPage:
    """Up to 50 contacts by name, and the addresses of the pages beside it (None: there is none)."""

    contacts: list[Contact]
    next_url: str | None
    previous_url: str | None


def found(form: ContactsForm) -> QuerySet[Contact]:
    """The contacts that a valid form asks for, by name."""
    contacts = matching(form.cleaned_data["q"])
    return contacts.filter(do_not_call=True) if form.cleaned_data["do_not_call"] else contacts


def count(contacts: QuerySet[Contact]) -> str:
    """How many there are, in words. One query."""
    counted = contacts.order_by()[: COUNTED_TO + 1].count()
    if counted > COUNTED_TO:
        return f"More than {COUNTED_TO:,} contacts"
    return f"{counted:,} contact{'' if counted == 1 else 's'}"


def page(contacts: QuerySet[Contact], query: QueryDict) -> ContactsPage:
    """The page that `query` asks for with `after` or `before`. One query. Raises `BadPlace`."""
    upwards = bool(query.get(BEFORE))
    at = query.get(BEFORE) or query.get(AFTER)
    rows = list(_beyond(contacts, Place.parse(at) if at else None, upwards=upwards)[: PAGE_ROWS + 1])
    shown, is_more = rows[:PAGE_ROWS], len(rows) > PAGE_ROWS
    if upwards:
        shown.reverse()
    is_after = bool(shown) if upwards else is_more
    is_before = is_more if upwards else at is not None
    return ContactsPage(
        shown,
        _address(query, AFTER, shown[-1]) if is_after and shown else None,
        _address(query, BEFORE, shown[0]) if is_before and shown else None,
    )


def _beyond(contacts: QuerySet[Contact], place: Place | None, *, upwards: bool) -> QuerySet[Contact]:
    contacts = contacts.annotate(place_name=Lower("name"))
    if place:
        compares = TupleLessThan if upwards else TupleGreaterThan
        contacts = contacts.filter(compares(Tuple(F("place_name"), F("pk")), (place.name, place.pk)))
    return contacts.reverse() if upwards else contacts


def _address(query: QueryDict, name: str, contact: Contact) -> str:
    following = query.copy()
    for other in (AFTER, BEFORE, "deleted"):
        following.pop(other, None)
    following[name] = str(Place(contact.place_name, contact.pk))  # type: ignore[attr-defined]
    return f"?{following.urlencode()}"
