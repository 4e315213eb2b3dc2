"""The one check on every number and client that a request will dial.

It runs for every placed call, for each script when it is made (`scripts.make`) and when it is sent to Sift,
and for routines before they are published or answer calls. The person who places a call may confirm what the
rules object to; without a person to confirm it, it is not dialled. Each rule is a `Rule`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection as database
from django.urls import reverse
from django.utils import timezone

from connections_app.models import Contact
from connections_app.models.case_folding import CLIENT, folded
from connections_app.sift.commands import COMMANDS
from connections_app.sift.numbers import ImpossibleNumber, e164
from connections_app.sift.placeholders import JSON, JSONObject

MAX_REQUEST_AGE = timedelta(days=1)  # an older unsettled request is hardly still a call

TICKED = f"{folded('target.endpoint')} IN (SELECT {folded('one')} FROM unnest(%(confirmed)s::text[]) AS one)"  # noqa: S608
CONTACTS = f"""
    SELECT target.endpoint AS requested, contact.id, contact.endpoint, contact.name, contact.do_not_call,
           {TICKED} AS is_confirmed
    FROM unnest(%(dialled)s::text[]) AS target (endpoint)
    JOIN connections_app_contact AS contact ON {folded("contact.endpoint")} = {folded("target.endpoint")}
"""  # noqa: S608
# For use inside larger statements: which of `dialled` are marked “do not call” and not `confirmed`.
MARKED = f"SELECT requested FROM ({CONTACTS}) AS found WHERE do_not_call AND NOT is_confirmed"  # noqa: S608

# Calls in progress whose other side is one of `dialled`, and requests to it that may have become a call.
# Without a direction from Sift, either end may be the other side.
ONGOING = f"""
    SELECT target.endpoint, {TICKED}, call.at, call.connection_id, NULL::uuid, 'accepted',
           coalesce(operator.username, '')
    FROM unnest(%(dialled)s::text[]) AS target (endpoint)
    JOIN connections_app_connection AS call
        ON call.status IN ('connecting', 'connected') AND call.doubt <> 'lost'
        AND (call.party = {folded("target.endpoint")} OR call.direction IS NULL
            AND {folded("target.endpoint")} IN ({folded("call.from_endpoint")}, {folded("call.to_endpoint")}))
        AND NOT EXISTS (
            SELECT FROM connections_app_callrequest AS own
            WHERE own.request_id = %(besides)s AND own.connection_id = call.id
        )
    LEFT JOIN connections_app_operator AS operator ON operator.id = call.operator_id
    UNION ALL
    SELECT target.endpoint, {TICKED}, request.asked_at, '', request.request_id, request.outcome,
           request.operator_name
    FROM unnest(%(dialled)s::text[]) AS target (endpoint)
    JOIN connections_app_callrequest AS request
        ON {folded("target.endpoint")}
            IN (request.phone_number, {folded("%(client)s || request.client_name")})
    WHERE request.connection_id IS NULL
        AND (request.outcome = 'sending' OR request.outcome IN ('accepted', 'unknown'))
        AND request.asked_at > %(since)s AND request.request_id IS DISTINCT FROM %(besides)s
    ORDER BY 3
"""  # noqa: S608
# Held until the transaction ends: if two people call a number at once, the second sees the first one's call.
LOCK = f"""
    SELECT pg_advisory_xact_lock(hashtextextended('dial ' || one, 0))
    FROM (SELECT DISTINCT {folded("one")} AS one FROM unnest(%s::text[]) AS one ORDER BY 1) AS sorted
"""  # noqa: S608


class Rule(StrEnum):
    """Why dialling needs a confirmation; the value names the form field that confirms it."""

    MARKED = "although_marked"
    BUSY = "although_busy"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The numbers and clients that a person confirmed, by rule; the confirmation holds for no others."""

    marked: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()

    def payload(self) -> dict[str, list[str]]:
        """Return the confirmed endpoints by rule, for the audit log, without empty rules."""
        confirmed = {Rule.MARKED.value: [*self.marked], Rule.BUSY.value: [*self.busy]}
        return {rule: endpoints for rule, endpoints in confirmed.items() if endpoints}


NOTHING_CONFIRMED = Confirmed()


@dataclass(frozen=True, slots=True)
class Objection:
    """One rule that objects to dialling `endpoint`; `words` is a sentence, `url` a page about the reason.

    `at` is when another call to it began, `by` the operator of that call; `is_certain` is False if that call
    may not exist.
    """

    rule: Rule
    endpoint: str
    words: str
    url: str = ""
    name: str = ""
    at: datetime | None = None
    by: str = ""
    is_certain: bool = True
    is_confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Findings:
    """The contacts of endpoints, keyed by endpoint, and the objections to dialling them."""

    contacts: Mapping[str, Contact] = field(default_factory=dict)
    objections: Sequence[Objection] = ()

    @property
    def unconfirmed(self) -> list[Objection]:
        """Return the objections that nobody confirmed."""
        return [one for one in self.objections if not one.is_confirmed]


class NotDialled(Exception):
    """Nothing was dialled because of unconfirmed `objections`; `str()` gives the reason."""

    def __init__(self, objections: Sequence[Objection]) -> None:
        super().__init__(" ".join(one.words for one in objections))
        self.objections = objections


def endpoints_in(commands: Iterable[JSONObject], country: str = "") -> tuple[str, ...]:
    """Return every number (E.164) and client (`webrtc:ana`) that filled-in `commands` dial, each once.

    In an unknown command, every text that can be a number or client counts. A number without a `+` belongs
    to `country`, or to DEFAULT_COUNTRY.
    """
    found = (one for command in commands for one in _dialled_by(command, country or settings.DEFAULT_COUNTRY))
    return tuple(dict.fromkeys(found))


def look_up(
    endpoints: Sequence[str], confirmed: Confirmed = NOTHING_CONFIRMED, besides: UUID | None = None
) -> Findings:
    """Return the contacts of `endpoints` and the objections to them. Two queries; none without endpoints.

    `besides` is the id of the request being checked: it and its own call do not count as another call.
    """
    if not endpoints:
        return Findings()
    contacts = _contacts(endpoints, confirmed.marked)
    marked = [_marked(one, contact) for one, contact in contacts.items() if contact.do_not_call]
    return Findings(contacts, [*marked, *_ongoing(endpoints, confirmed.busy, besides)])


def marked(endpoints: Sequence[str], confirmed: Sequence[str] = ()) -> list[Objection]:
    """Return the objections to endpoints marked “do not call”, confirmed or not. At most one query."""
    return [
        _marked(one, contact)
        for one, contact in _contacts(endpoints, confirmed).items()
        if contact.do_not_call
    ]


def check(
    endpoints: Sequence[str], confirmed: Confirmed = NOTHING_CONFIRMED, besides: UUID | None = None
) -> None:
    """Raise `NotDialled` if a rule objects to one of `endpoints` and nobody confirmed it."""
    if unconfirmed := look_up(endpoints, confirmed, besides).unconfirmed:
        raise NotDialled(unconfirmed)


def lock(endpoints: Sequence[str]) -> None:
    """Lock `endpoints` until this transaction ends; waits for others about to call them. One query."""
    with database.cursor() as cursor:
        cursor.execute(LOCK, [list(endpoints)])


def refused(endpoints: Iterable[str]) -> NotDialled:
    """Return the error for the endpoints that a statement with `MARKED` found."""
    return NotDialled([_marked(one) for one in endpoints])


def _contacts(endpoints: Sequence[str], confirmed: Sequence[str]) -> dict[str, Any]:
    """Return the contacts, keyed by endpoint as passed; each has `is_confirmed` set."""
    if not endpoints:
        return {}
    values = {"dialled": list(endpoints), "confirmed": list(confirmed)}
    found: Iterable[Any] = Contact.objects.raw(CONTACTS, values)
    return {contact.requested: contact for contact in found}


def _dialled_by(command: JSONObject, country: str) -> Iterator[str]:
    match command:
        case {"name": "CallPhone", "phone_number": str(number)}:
            yield _number(number, country) or number.strip()
        case {"name": "CallClient", "client_name": str(name)}:
            yield _client(name)
        case {"name": str(name)} if name in COMMANDS:
            return
        case _:
            yield from _dialled_by_unknown(command, country)


def _dialled_by_unknown(value: JSON, country: str) -> Iterator[str]:
    """Yield every number and client in an unknown command."""
    match value:
        case dict():
            for key, item in value.items():
                if key == "client_name" and isinstance(item, str):
                    yield _client(item)
                else:
                    yield from _dialled_by_unknown(item, country)
        case list():
            for item in value:
                yield from _dialled_by_unknown(item, country)
        case str() if value.strip().lower().startswith(CLIENT):
            yield _client(value)
        case str():
            if number := _number(value, country):
                yield number


def _number(written: str, country: str) -> str:
    try:
        return e164(written, country)
    except ImpossibleNumber:
        return ""


def _client(written: str) -> str:
    name = written.strip()
    return f"{CLIENT}{name[len(CLIENT) :].strip() if name.lower().startswith(CLIENT) else name}"


def _marked(endpoint: str, contact: Any = None) -> Objection:
    return Objection(
        Rule.MARKED,
        endpoint,
        f"{endpoint} is marked “do not call”.",
        url=contact.get_absolute_url() if contact else "",
        name=str(contact) if contact else endpoint,
        is_confirmed=bool(contact and contact.is_confirmed),
    )


def _ongoing(endpoints: Sequence[str], confirmed: Sequence[str], besides: UUID | None) -> Iterator[Objection]:
    """Yield an objection for each call to `endpoints` that is or may be in progress, the earliest first."""
    values: dict[str, Any] = {
        "dialled": [*endpoints],
        "confirmed": [*confirmed],
        "client": CLIENT,
        "since": timezone.now() - MAX_REQUEST_AGE,
        "besides": besides,
    }
    with database.cursor() as cursor:
        cursor.execute(ONGOING, values)
        rows = cursor.fetchall()
    for endpoint, is_confirmed, at, connection_id, request_id, outcome, by in rows:
        if request_id:
            url = reverse("call_request", kwargs={"request_id": request_id})
        else:
            url = reverse("call", kwargs={"connection_id": connection_id})
        yield Objection(
            Rule.BUSY,
            endpoint,
            f"Already on a call with {endpoint}{f', by {by}' if by else ''}.",
            url=url,
            at=at,
            by=by,
            is_certain=outcome != "unknown",
            is_confirmed=is_confirmed,
        )
