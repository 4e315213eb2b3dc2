"""The one check on every number and client that a request will dial.

Whatever dials comes through here: a call that is placed, each script when it is made (`scripts.make`) and
when it is given to Sift, and routines before they are published or answer calls. A person who asks may
confirm what the rules object to; where nobody can be asked, it is not dialled. A further rule is a further
`Rule`.
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

# After a day, a request whose outcome nobody settled is hardly still a call.
OPEN_FOR = timedelta(days=1)

TICKED = f"{folded('asked.endpoint')} IN (SELECT {folded('one')} FROM unnest(%(confirmed)s::text[]) AS one)"  # noqa: S608
CONTACTS = f"""
    SELECT asked.endpoint AS asked, contact.id, contact.endpoint, contact.name, contact.do_not_call,
           {TICKED} AS is_confirmed
    FROM unnest(%(dialled)s::text[]) AS asked (endpoint)
    JOIN connections_app_contact AS contact ON {folded("contact.endpoint")} = {folded("asked.endpoint")}
"""  # noqa: S608
# For use inside larger statements: what of `dialled` is marked “do not call” and was not `confirmed`.
MARKED = f"SELECT asked FROM ({CONTACTS}) AS found WHERE do_not_call AND NOT is_confirmed"  # noqa: S608

# Calls in progress whose other side is one of these, and requests of which it is not known which call they
# became, or whether any. Where Sift has not told the direction, either end may be the other side.
ONGOING = f"""
    SELECT asked.endpoint, {TICKED}, call.at, call.connection_id, NULL::uuid, 'accepted',
           coalesce(operator.username, '')
    FROM unnest(%(dialled)s::text[]) AS asked (endpoint)
    JOIN connections_app_connection AS call
        ON call.status IN ('connecting', 'connected') AND call.doubt <> 'lost'
        AND (call.party = {folded("asked.endpoint")} OR call.direction IS NULL
            AND {folded("asked.endpoint")} IN ({folded("call.from_endpoint")}, {folded("call.to_endpoint")}))
        AND NOT EXISTS (
            SELECT FROM connections_app_callrequest AS own
            WHERE own.request_id = %(besides)s AND own.connection_id = call.id
        )
    LEFT JOIN connections_app_operator AS operator ON operator.id = call.operator_id
    UNION ALL
    SELECT asked.endpoint, {TICKED}, request.asked_at, '', request.request_id, request.outcome,
           request.operator_name
    FROM unnest(%(dialled)s::text[]) AS asked (endpoint)
    JOIN connections_app_callrequest AS request
        ON {folded("asked.endpoint")} IN (request.phone_number, {folded("%(client)s || request.client_name")})
    WHERE request.connection_id IS NULL
        AND (request.outcome = 'sending' OR request.outcome IN ('accepted', 'unknown'))
        AND request.asked_at > %(since)s AND request.request_id IS DISTINCT FROM %(besides)s
    ORDER BY 3
"""  # noqa: S608
# Held until the transaction ends, so that of two people who call a number at once, the second sees the first.
LOCK = f"""
    SELECT pg_advisory_xact_lock(hashtextextended('dial ' || one, 0))
    FROM (SELECT DISTINCT {folded("one")} AS one FROM unnest(%s::text[]) AS one ORDER BY 1) AS sorted
"""  # noqa: S608


class Rule(StrEnum):
    """Why something is not dialled without asking; the value names the form field that confirms it."""

    MARKED = "although_marked"
    BUSY = "although_busy"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a person confirmed, by rule: the numbers and clients themselves, so that it holds for no other."""

    marked: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()

    def payload(self) -> dict[str, list[str]]:
        """For the audit log: what was confirmed, where anything was."""
        given = {Rule.MARKED.value: [*self.marked], Rule.BUSY.value: [*self.busy]}
        return {rule: endpoints for rule, endpoints in given.items() if endpoints}


NOTHING_CONFIRMED = Confirmed()


@dataclass(frozen=True, slots=True)
class Objection:
    """One rule that objects to dialling `endpoint`; `words` is a sentence, `url` leads to more on it.

    `at` and `by` say since when and by whom it is called already; `is_certain` is false where it is not known
    whether it rings.
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
    """What is known of endpoints: the contact of each that has one, and what the rules object to."""

    contacts: Mapping[str, Contact] = field(default_factory=dict)
    objections: Sequence[Objection] = ()

    @property
    def unconfirmed(self) -> list[Objection]:
        return [one for one in self.objections if not one.is_confirmed]


class NotDialled(Exception):
    """Nothing was dialled, because of `objections` that nobody confirmed; `str()` says why."""

    def __init__(self, objections: Sequence[Objection]) -> None:
        super().__init__(" ".join(one.words for one in objections))
        self.objections = objections


def endpoints_in(commands: Iterable[JSONObject], country: str = "") -> tuple[str, ...]:
    """Return every number (E.164) and client (`webrtc:ana`) that filled-in `commands` dial, each once.

    Of a command that is not known here, every text counts that can be one. A number without a `+` belongs to
    `country`, or to the DEFAULT_COUNTRY.
    """
    found = (one for command in commands for one in _dialled_by(command, country or settings.DEFAULT_COUNTRY))
    return tuple(dict.fromkeys(found))


def look_up(
    endpoints: Sequence[str], confirmed: Confirmed = NOTHING_CONFIRMED, besides: UUID | None = None
) -> Findings:
    """Return what is known of `endpoints`. Two queries; none without endpoints.

    `besides` is the id of the request that asks: neither it nor the call that it became is another one.
    """
    if not endpoints:
        return Findings()
    contacts = _contacts(endpoints, confirmed.marked)
    marked = [_marked(one, contact) for one, contact in contacts.items() if contact.do_not_call]
    return Findings(contacts, [*marked, *_ongoing(endpoints, confirmed.busy, besides)])


def marked(endpoints: Sequence[str], confirmed: Sequence[str] = ()) -> list[Objection]:
    """Return what is marked “do not call” among `endpoints`, confirmed or not. One query, or none."""
    return [
        _marked(one, contact)
        for one, contact in _contacts(endpoints, confirmed).items()
        if contact.do_not_call
    ]


def check(
    endpoints: Sequence[str], confirmed: Confirmed = NOTHING_CONFIRMED, besides: UUID | None = None
) -> None:
    """Raises `NotDialled` where a rule objects to one of `endpoints` and nobody confirmed it."""
    if unconfirmed := look_up(endpoints, confirmed, besides).unconfirmed:
        raise NotDialled(unconfirmed)


def lock(endpoints: Sequence[str]) -> None:
    """Wait for others who are about to call one of `endpoints`, until this transaction ends. One query."""
    with database.cursor() as cursor:
        cursor.execute(LOCK, [list(endpoints)])


def refused(endpoints: Iterable[str]) -> NotDialled:
    """Return the error for what a statement with `MARKED` found."""
    return NotDialled([_marked(one) for one in endpoints])


def _contacts(endpoints: Sequence[str], confirmed: Sequence[str]) -> dict[str, Any]:
    """Return the contacts by the endpoint as it is written in `endpoints`; each has `is_confirmed` set."""
    if not endpoints:
        return {}
    asked = {"dialled": list(endpoints), "confirmed": list(confirmed)}
    found: Iterable[Any] = Contact.objects.raw(CONTACTS, asked)
    return {contact.asked: contact for contact in found}


def _dialled_by(command: JSONObject, country: str) -> Iterator[str]:
    match command:
        case {"name": "CallPhone", "phone_number": str(number)}:
            yield _number(number, country) or number.strip()
        case {"name": "CallClient", "client_name": str(name)}:
            yield _client(name)
        case {"name": str(name)} if name in COMMANDS:
            return
        case _:
            yield from _possible(command, country)


def _possible(value: JSON, country: str) -> Iterator[str]:
    """Every number and client that a command may mean of which nothing is known."""
    match value:
        case dict():
            for key, item in value.items():
                if key == "client_name" and isinstance(item, str):
                    yield _client(item)
                else:
                    yield from _possible(item, country)
        case list():
            for item in value:
                yield from _possible(item, country)
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
    """What is ringing or in a call already, or may be, the earliest first."""
    given: dict[str, Any] = {
        "dialled": [*endpoints],
        "confirmed": [*confirmed],
        "client": CLIENT,
        "since": timezone.now() - OPEN_FOR,
        "besides": besides,
    }
    with database.cursor() as cursor:
        cursor.execute(ONGOING, given)
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
