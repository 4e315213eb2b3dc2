"""The two ends of a call in readable form: phone numbers, browser clients, and anything else."""

from dataclasses import dataclass, replace
from functools import cache, lru_cache
from threading import Thread
from types import ModuleType
from typing import Any

import phonenumbers
from django.db.models import TextChoices
from phonenumbers import PhoneNumber, PhoneNumberFormat

from connections_app.models import Connection, Direction
from connections_app.models.countries import COUNTRY_NAMES, country_of
from connections_app.models.requests import CLIENT

LANGUAGE = "en"


class Kind(TextChoices):
    """What an endpoint is."""

    PHONE = "phone"
    CLIENT = "client"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end of a call. `e164` is what a click copies; an unknown field is empty.

    `where` is a city or region with its country's code (`Berlin · DE`), or the country's name. `name` and
    `do_not_call` come from its contact.
    """

    kind: Kind
    text: str
    e164: str = ""
    where: str = ""
    country: str = ""
    name: str = ""
    do_not_call: bool = False

    @property
    def title(self) -> str:
        """Return its name, or else the number or client."""
        return self.name or self.text

    @property
    def about(self) -> str:
        """Return the text shown next to the title."""
        if self.name:
            return self.text
        return "browser client" if self.is_client else self.where

    @property
    def dials(self) -> str:
        """Return the value for the form that places calls; empty if it cannot be called."""
        return self.e164 or (f"{CLIENT}{self.text}" if self.is_client else "")

    @property
    def is_phone(self) -> bool:
        """Return True for a phone number."""
        return self.kind == Kind.PHONE

    @property
    def is_client(self) -> bool:
        """Return True for a browser client."""
        return self.kind == Kind.CLIENT


NOBODY = Endpoint(Kind.UNKNOWN, "Unknown")


def party_of(connection: Connection) -> Endpoint:
    """Return the other side of a call: the end that Sift called, or that called in."""
    match connection.direction:
        case Direction.INCOMING:
            return callee_of(connection)
        case Direction.OUTGOING:
            return caller_of(connection)
    ends = caller_of(connection), callee_of(connection)
    return next((end for end in ends if end.is_phone), ends[0] if ends[0] != NOBODY else ends[1])


def caller_of(connection: Connection) -> Endpoint:
    """Return the end that the call comes from, with its contact's name."""
    return _named(connection.from_endpoint, connection)


def callee_of(connection: Connection) -> Endpoint:
    """Return the end that the call goes to, with its contact's name."""
    return _named(connection.to_endpoint, connection)


def _named(written: str | None, connection: Connection) -> Endpoint:
    """Return the endpoint with the name that `contact_lookup.name_ends` set on the call."""
    contact = connection.contacts.get(written) if written else None
    return with_contact(endpoint_of(written), contact)


def with_contact(end: Endpoint, contact: Any) -> Endpoint:
    """Return `end` with the name and mark of `contact` (a `Contact`, a `Named` or None)."""
    return replace(end, name=contact.name, do_not_call=contact.do_not_call) if contact else end


@lru_cache(maxsize=32_768)
def endpoint_of(written: str | None) -> Endpoint:
    """Parse an endpoint as Sift sends it: E.164 or `webrtc:NAME`; anything else is kept as it is."""
    text = (written or "").strip()
    if not text:
        return NOBODY
    if text.lower().startswith(CLIENT):
        return Endpoint(Kind.CLIENT, text[len(CLIENT) :].strip() or text)
    if not text.startswith("+"):
        return Endpoint(Kind.UNKNOWN, text)
    return _phone(text)


def _phone(text: str) -> Endpoint:
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return Endpoint(Kind.UNKNOWN, text)
    if not phonenumbers.is_possible_number(number):
        return Endpoint(Kind.UNKNOWN, text)
    country = country_of(text) or ""
    return Endpoint(
        Kind.PHONE,
        phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL),
        e164=phonenumbers.format_number(number, PhoneNumberFormat.E164),
        where=_where(number, country),
        country=country,
    )


def _where(number: PhoneNumber, country: str) -> str:
    name = COUNTRY_NAMES.get(country, "")
    if not _geocoder:
        _load_places()
        return name
    place = str(_geocoder[0].description_for_number(number, LANGUAGE))
    return f"{place} · {country}" if place and country and place != name else place or name


_geocoder: list[ModuleType] = []


@cache
def _load_places() -> None:
    """Load the names of cities in a thread, since that takes seconds and 100 MB.

    A process that shows no numbers never loads them.
    """

    def load() -> None:
        from phonenumbers import geocoder

        _geocoder.append(geocoder)
        endpoint_of.cache_clear()

    Thread(target=load, name="places", daemon=True).start()
