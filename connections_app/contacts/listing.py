"""The list of contacts, by name, with keyset pagination."""

from dataclasses import dataclass
from typing import Any, Self

from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.http import QueryDict

from connections_app.calls.contact_lookup import matching
from connections_app.contacts.forms import LONGEST_NAME, ContactsForm
from connections_app.models import Contact
from connections_app.web.paging import LARGEST_KEY, PAGE_ROWS, BadPlace, address, beyond, page_of

# An exact count of more contacts would be slow; the page then shows “More than”.
MAX_COUNTED = 10_000
AFTER, BEFORE = "after", "before"


@dataclass(frozen=True, slots=True)
class Place:
    """The position of a contact: its name in lower case, then its key among contacts of the same name."""

    name: str
    pk: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the place that `str()` wrote as `text`. Raises `BadPlace`."""
        pk, colon, name = text.partition(":")
        is_key = pk.isascii() and pk.isdigit() and len(pk) < 20 and int(pk) <= LARGEST_KEY
        if not colon or not is_key or len(name) > 2 * LONGEST_NAME or "\x00" in name:
            raise BadPlace(text)
        return cls(name, int(pk))

    def __str__(self) -> str:
        return f"{self.pk}:{self.name}"


@dataclass(frozen=True, slots=True)
class ContactsPage:
    """Up to 50 contacts by name, and the addresses of the next and previous page (None without one)."""

    contacts: list[Contact]
    next_url: str | None
    previous_url: str | None


def found(form: ContactsForm, country: str) -> QuerySet[Contact]:
    """Return the contacts that match a valid form, by name; numbers are parsed for `country` (`GB`)."""
    contacts = matching(form.cleaned_data["q"], country)
    return contacts.filter(do_not_call=True) if form.cleaned_data["do_not_call"] else contacts


def count(contacts: QuerySet[Contact]) -> str:
    """Return the number of contacts, in words. One query."""
    counted = contacts.order_by()[: MAX_COUNTED + 1].count()
    if counted > MAX_COUNTED:
        return f"More than {MAX_COUNTED:,} contacts"
    return f"{counted:,} contact{'' if counted == 1 else 's'}"


def page(contacts: QuerySet[Contact], query: QueryDict) -> ContactsPage:
    """Return the page at `after` or `before` of `query`. One query. Raises `BadPlace`."""
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
