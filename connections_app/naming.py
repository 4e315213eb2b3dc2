"""The names that contacts give to numbers and clients: of a call's two ends, and in what is looked for."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection as database
from django.db.models import Q
from django.db.models.functions import Lower

from connections_app.models import Connection, Contact

# By hand: lists ask with a hundred endpoints, each of which the ORM would make a parameter.
NAMES = (
    "SELECT lower(endpoint), name, do_not_call FROM connections_app_contact WHERE lower(endpoint) = ANY(%s)"
)


@dataclass(frozen=True, slots=True)
class Named:
    """What a contact says of a number or client."""

    name: str
    do_not_call: bool


def names_of(endpoints: Iterable[str | None]) -> dict[str, Named]:
    """The names of these endpoints, by the endpoint in lower case. One query, none without an endpoint."""
    wanted = {endpoint.lower() for endpoint in endpoints if endpoint}
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
    named = contacts.filter(lower=text.lower()) if whole else contacts.filter(name__ilike=text)
    return list(named.values_list("endpoint", flat=True)[:limit])


def with_party(endpoint: str) -> Q:
    """Calls whose other side is this number or client."""
    return Q(party=endpoint.lower())
