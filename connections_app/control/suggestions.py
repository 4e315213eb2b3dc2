"""Suggest callees in the form that places calls: contacts while a person types, and recent callees."""

from itertools import islice

from connections_app.calls.contact_lookup import matching, names_of
from connections_app.calls.endpoints import Endpoint, endpoint_of, with_contact
from connections_app.models import CallRequest, Operator

MAX_RECENT, MAX_CONTACTS = 20, 10
MIN_CHARACTERS = 3  # shorter texts match too many names, and the index cannot search for them


def found(*typed: str, country: str = "") -> list[Endpoint]:
    """Return the contacts with a `typed` text in their name, number or client.

    Numbers are read as in `country` (`GB`). One query for each text of three characters or more.
    """
    texts = [text for text in typed if len(text) >= MIN_CHARACTERS]
    contacts = [contact for text in texts for contact in matching(text, country)[:MAX_CONTACTS]]
    return [with_contact(endpoint_of(contact.endpoint), contact) for contact in contacts]


def recent(operator: Operator) -> list[Endpoint]:
    """Return up to 20 endpoints that `operator` requested last, newest first. Two queries."""
    requests = CallRequest.objects.filter(operator=operator).order_by("-asked_at")[: 3 * MAX_RECENT]
    endpoints = list(islice(dict.fromkeys(request.endpoint for request in requests), MAX_RECENT))
    names = names_of(endpoints)
    return [with_contact(endpoint_of(one), names.get(one)) for one in endpoints]
