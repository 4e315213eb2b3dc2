"""Look up contacts: by the numbers and clients of calls, and by what people type."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db import connection as database
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Lower, Substr

from connections_app.models import Connection, Contact
from connections_app.models.case_folding import CLIENT, folded, key_of
from connections_app.sift.number_search import search_texts
from connections_app.sift.numbers import is_number

# Plain SQL: a list passes a hundred endpoints, and the ORM would make each a parameter.
NAMES = f"""
    SELECT requested.endpoint, contact.name, contact.do_not_call
    FROM unnest(%s::text[]) AS requested (endpoint)
    JOIN connections_app_contact AS contact ON {folded("contact.endpoint")} = {folded("requested.endpoint")}
"""  # noqa: S608
CONTACTS = f"""
    SELECT contact.*, requested.endpoint AS requested
    FROM unnest(%s::text[]) AS requested (endpoint)
    JOIN connections_app_contact AS contact ON {folded("contact.endpoint")} = {folded("requested.endpoint")}
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Named:
    """The name and the mark “do not call” of a contact."""

    name: str
    do_not_call: bool


def names_of(endpoints: Iterable[str | None]) -> dict[str, Named]:
    """Return the names of `endpoints`, keyed by endpoint as passed. One query, none without an endpoint."""
    requested = {endpoint for endpoint in endpoints if endpoint}
    if not requested:
        return {}
    with database.cursor() as cursor:
        cursor.execute(NAMES, [list(requested)])
        return {endpoint: Named(name, do_not_call) for endpoint, name, do_not_call in cursor.fetchall()}


def name_ends(calls: Iterable[Connection]) -> None:
    """Set `contacts` on each call, for templates. One query."""
    calls = list(calls)
    contacts = names_of(end for call in calls for end in (call.from_endpoint, call.to_endpoint))
    for call in calls:
        call.contacts = contacts


def endpoints_named(text: str, *, whole: bool, limit: int) -> list[str]:
    """Return up to `limit` endpoints of contacts whose name contains `text`; with `whole`, equals it."""
    contacts = Contact.objects.alias(lower=Lower("name"))
    named = contacts.filter(lower=Lower(Value(text))) if whole else contacts.filter(name__ilike=text)
    return list(named.values_list("endpoint", flat=True)[:limit])


def with_party(endpoint: str) -> Q:
    """Return the filter for calls whose other side is this number or client."""
    return Q(party=key_of(endpoint))


def matching(written: str, country: str = "") -> QuerySet[Contact]:
    """Return contacts with `written` in their name, number or client, by name; all contacts if it is empty.

    Numbers are read as people write them in `country` (`GB`; empty: with a country code only).
    """
    text = written.strip()
    contacts = Contact.objects.alias(place_name=Lower("name")).order_by("place_name", "pk")
    if not text:
        return contacts
    if "\x00" in text:
        return contacts.none()
    first, *others = search_texts(text, country)
    with_number = reduce(or_, (Q(endpoint__ilike=one) for one in others), Q(name__ilike=text))
    if is_number(text):
        return contacts.filter(with_number | Q(endpoint__ilike=first))
    if text.lower().startswith(CLIENT):
        return contacts.filter(endpoint__ilike=text)
    # The prefix that all clients share is not part of their names.
    clients = contacts.alias(client=Substr("endpoint", len(CLIENT) + 1))
    return clients.filter(with_number | Q(endpoint__ilike=text, client__ilike=text))


def contact_of(endpoint: str) -> Contact | None:
    """Return the contact of a number (E.164) or client (`webrtc:ana`), ignoring case. One query."""
    return next(iter(contacts_of([endpoint]).values()), None)


def contacts_of(endpoints: Iterable[str]) -> dict[str, Contact]:
    """Return the contacts of numbers (E.164) and clients, ignoring case, keyed by endpoint as passed.

    Endpoints without a contact are left out. One query, none without an endpoint.
    """
    requested = [endpoint for endpoint in dict.fromkeys(endpoints) if endpoint]
    found: Iterable[Any] = Contact.objects.raw(CONTACTS, [requested]) if requested else ()
    return {contact.requested: contact for contact in found}
