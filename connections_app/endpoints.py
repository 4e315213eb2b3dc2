"""The two ends of a call as people read them: phone numbers, browser clients, and what is neither."""

from dataclasses import dataclass
from functools import cache, lru_cache
from threading import Thread
from types import ModuleType

import phonenumbers
from django.db.models import TextChoices
from phonenumbers import PhoneNumber, PhoneNumberFormat

from connections_app.models import Connection, Direction
from connections_app.models.sending import CLIENT

LANGUAGE = "en"


class Kind(TextChoices):
    PHONE = "phone"
    CLIENT = "client"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end of a call. `e164` is what a click copies; what is not known is empty.

    `where` is a city or region with its country's code (`Berlin · DE`), or the country's name.
    """

    kind: Kind
    text: str
    e164: str = ""
    where: str = ""
    country: str = ""

    @property
    def dials(self) -> str:
        """What the form that places calls is given for it; empty for what cannot be called."""
        return self.e164 or (f"{CLIENT}{self.text}" if self.is_client else "")

    @property
    def is_phone(self) -> bool:
        return self.kind == Kind.PHONE

    @property
    def is_client(self) -> bool:
        return self.kind == Kind.CLIENT


NOBODY = Endpoint(Kind.UNKNOWN, "Unknown")


def party_of(connection: Connection) -> Endpoint:
    """The other side of a call: whom Sift called, or who called in."""
    to, caller = endpoint_of(connection.to_endpoint), endpoint_of(connection.from_endpoint)
    match connection.direction:
        case Direction.INCOMING:
            return to
        case Direction.OUTGOING:
            return caller
        case _:
            return next((end for end in (caller, to) if end.is_phone), caller if caller != NOBODY else to)


@lru_cache(maxsize=8192)
def endpoint_of(written: str | None) -> Endpoint:
    """`written` as Sift tells it (E.164, or `webrtc:NAME`), made readable; as it came where it is neither."""
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
    country = phonenumbers.region_code_for_number(number) or ""
    return Endpoint(
        Kind.PHONE,
        phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL),
        e164=phonenumbers.format_number(number, PhoneNumberFormat.E164),
        where=_where(number, country),
        country=country,
    )


def _where(number: PhoneNumber, country: str) -> str:
    if not _geocoder:
        _learn_places()
        return country
    place = str(_geocoder[0].description_for_number(number, LANGUAGE))
    name = str(_geocoder[0].country_name_for_number(number, LANGUAGE))
    return f"{place} · {country}" if place and country and place != name else place or name or country


_geocoder: list[ModuleType] = []


@cache
def _learn_places() -> None:
    """Begin to load the names of cities and countries, which takes seconds and 100 MB: no page waits for it.

    A process that shows no numbers never loads them.
    """

    def load() -> None:
        from phonenumbers import geocoder

        _geocoder.append(geocoder)
        endpoint_of.cache_clear()

    Thread(target=load, name="places", daemon=True).start()
