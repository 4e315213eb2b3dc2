"""Whom the form that places calls offers: contacts, while somebody types, and those called last."""

from itertools import islice

from connections_app.calls.contact_lookup import matching, names_of
from connections_app.calls.endpoints import Endpoint, endpoint_of, with_contact
from connections_app.models import CallRequest, Operator

RECENT, CONTACTS = 20, 10
# Shorter texts are in too many names, and no index finds them.
LEAST_CHARACTERS = 3


def found(*typed: str, country: str = "") -> list[Endpoint]:
    """Contacts with what is `typed` in their name, number or client.

    Numbers are read as in `country` (`GB`). A query for each text of three characters or more.
    """
    texts = [text for text in typed if len(text) >= LEAST_CHARACTERS]
    contacts = [contact for text in texts for contact in matching(text, country)[:CONTACTS]]
    return [with_contact(endpoint_of(contact.endpoint), contact) for contact in contacts]


def recent(operator: Operator) -> list[Endpoint]:
    """Whom `operator` asked for last. Two queries."""
    requests = CallRequest.objects.filter(operator=operator).order_by("-asked_at")[: 3 * RECENT]
    endpoints = list(islice(dict.fromkeys(request.endpoint for request in requests), RECENT))
    names = names_of(endpoints)
    return [with_contact(endpoint_of(one), names.get(one)) for one in endpoints]
