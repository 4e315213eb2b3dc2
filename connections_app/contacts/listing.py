"""The list of contacts, by name: pages that begin at a place, however many there are."""

from dataclasses import dataclass
from typing import Any, Self

from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.http import QueryDict

from connections_app.calls.contact_lookup import matching
from connections_app.contacts.forms import LONGEST_NAME, ContactsForm
from connections_app.models import Contact
from connections_app.web.paging import LARGEST_KEY, PAGE_ROWS, BadPlace, address, beyond, page_of

# Up to here contacts are counted; more of them are "more than".
COUNTED_TO = 10_000
AFTER, BEFORE = "after", "before"


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


def found(form: ContactsForm, country: str) -> QuerySet[Contact]:
    """The contacts that a valid form asks for, by name; numbers are read as in `country` (`GB`)."""
    contacts = matching(form.cleaned_data["q"], country)
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
    shown = page_of(rows, upwards=upwards, is_first=at is None, size=PAGE_ROWS)
    return ContactsPage(shown.rows, _address(query, AFTER, shown.last), _address(query, BEFORE, shown.first))


def _beyond(contacts: QuerySet[Contact], place: Place | None, *, upwards: bool) -> QuerySet[Contact]:
    contacts = contacts.annotate(place_name=Lower("name"))
    if place:
        keys, values = ("place_name", "pk"), (place.name, place.pk)
        contacts = beyond(contacts, keys, values, descending=False, upwards=upwards)
    return contacts.reverse() if upwards else contacts


def _address(query: QueryDict, name: str, contact: Any) -> str | None:
    """Return the address of the page beyond `contact`, a row of `_beyond`; None without one."""
    if contact is None:
        return None
    return address(query, name, Place(contact.place_name, contact.pk), (AFTER, BEFORE, "deleted"))
