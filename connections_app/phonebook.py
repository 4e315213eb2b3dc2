"""Contacts as people look them up: by any part of a name, a number or a client."""

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Lower, Substr

from connections_app.models import Contact
from connections_app.models.sending import CLIENT
from connections_app.sift.numbers import WRITTEN_NUMBER, search_text


def matching(written: str) -> QuerySet[Contact]:
    """Contacts with `written` in their name, number or client, by name; all of them for nothing.

    What stands between a number's digits does not matter.
    """
    text = written.strip()
    contacts = Contact.objects.alias(place_name=Lower("name")).order_by("place_name", "pk")
    if not text:
        return contacts
    if WRITTEN_NUMBER.fullmatch(text):
        return contacts.filter(Q(name__ilike=text) | Q(endpoint__ilike=search_text(text)))
    if text.lower().startswith(CLIENT):
        return contacts.filter(endpoint__ilike=text)
    # All clients have the same beginning, which is no part of their names.
    called = contacts.alias(client=Substr("endpoint", len(CLIENT) + 1))
    return called.filter(Q(name__ilike=text) | Q(endpoint__ilike=text, client__ilike=text))


def contact_of(endpoint: str) -> Contact | None:
    """The contact of this number in E.164 or client (`webrtc:ana`), in whatever case. One query."""
    lower = Contact.objects.alias(lower=Lower("endpoint"))
    return lower.filter(lower=Lower(Value(endpoint))).first() if endpoint else None
