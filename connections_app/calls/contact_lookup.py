"""Contacts of numbers and clients: the names of a call's two ends, and contacts as people look them up."""

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

# By hand: lists ask with a hundred endpoints, each of which the ORM would make a parameter.
NAMES = f"""
    SELECT wanted.endpoint, contact.name, contact.do_not_call
    FROM unnest(%s::text[]) AS wanted (endpoint)
    JOIN connections_app_contact AS contact ON {folded("contact.endpoint")} = {folded("wanted.endpoint")}
"""  # noqa: S608
CONTACTS = f"""
    SELECT contact.*, wanted.endpoint AS wanted
    FROM unnest(%s::text[]) AS wanted (endpoint)
    JOIN connections_app_contact AS contact ON {folded("contact.endpoint")} = {folded("wanted.endpoint")}
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Named:
    """What a contact says of a number or client."""

    name: str
    do_not_call: bool


def names_of(endpoints: Iterable[str | None]) -> dict[str, Named]:
    """The names of these endpoints, by the endpoint as it is given. One query, none without an endpoint."""
    wanted = {endpoint for endpoint in endpoints if endpoint}
    if not wanted:
        return {}
    with database.cursor() as cursor:
        cursor.execute(NAMES, [list(wanted)])
        return {endpoint: Named(name, do_not_call) for endpoint, name, do_not_call in cursor.fetchall()}


def name_ends(calls: Iterable[Connection]) -> None:
    """Tell each call the contacts of its two ends, for templates. One query."""
    calls = list(calls)
    contacts = names_of(end for call in calls for end in (call.from_endpoint, call.to_endpoint))
    for call in calls:
        call.contacts = contacts


def endpoints_named(text: str, *, whole: bool, limit: int) -> list[str]:
    """Up to `limit` endpoints of contacts with `text` in their names; with `whole`, as their names."""
    contacts = Contact.objects.alias(lower=Lower("name"))
    named = contacts.filter(lower=Lower(Value(text))) if whole else contacts.filter(name__ilike=text)
    return list(named.values_list("endpoint", flat=True)[:limit])


def with_party(endpoint: str) -> Q:
    """Calls whose other side is this number or client."""
    return Q(party=key_of(endpoint))


def matching(written: str, country: str = "") -> QuerySet[Contact]:
    """Contacts with `written` in their name, number or client, by name; all of them for nothing.

    Numbers are read as people write them in `country` (`GB`; empty: with a country code only).
    """
    text = written.strip()
    contacts = Contact.objects.alias(place_name=Lower("name")).order_by("place_name", "pk")
    if not text:
        return contacts
    if "\x00" in text:
        return contacts.none()
    wanted, *others = search_texts(text, country)
    with_number = reduce(or_, (Q(endpoint__ilike=one) for one in others), Q(name__ilike=text))
    if is_number(text):
        return contacts.filter(with_number | Q(endpoint__ilike=wanted))
    if text.lower().startswith(CLIENT):
        return contacts.filter(endpoint__ilike=text)
    # All clients have the same beginning, which is no part of their names.
    called = contacts.alias(client=Substr("endpoint", len(CLIENT) + 1))
    return called.filter(with_number | Q(endpoint__ilike=text, client__ilike=text))


def contact_of(endpoint: str) -> Contact | None:
    """The contact of this number in E.164 or client (`webrtc:ana`), in whatever case. One query."""
    return next(iter(contacts_of([endpoint]).values()), None)


def contacts_of(endpoints: Iterable[str]) -> dict[str, Contact]:
    """The contacts of these numbers in E.164 or clients, in whatever case, by the endpoint as it is given.

    An endpoint without a contact is left out. One query, none without an endpoint.
    """
    wanted = [endpoint for endpoint in dict.fromkeys(endpoints) if endpoint]
    found: Iterable[Any] = Contact.objects.raw(CONTACTS, [wanted]) if wanted else ()
    return {contact.wanted: contact for contact in found}
