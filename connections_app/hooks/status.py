"""Answer a status callback: a placed call has changed, and Sift requests its script."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.db import connection as database
from django.db import transaction

from connections_app.calls import dialling
from connections_app.calls.ingest import ingest
from connections_app.calls.notify import announce
from connections_app.calls.request_matching import CONCLUDED, MISTAKEN, RELEASED
from connections_app.calls.scripts import MAY_BE_GIVEN
from connections_app.hooks.received import Answered, Received, Refused, WrongToken
from connections_app.models import Callback, Source, Status
from connections_app.models.connection import IN_PROGRESS
from connections_app.sift.payloads import Observation
from connections_app.sift.placeholders import JSONObject

READ = """
    SELECT request.id, request.called_back_at, connection.connection_id, script.id, script.settled_at,
           script.commands, script.confirmed
    FROM connections_app_callrequest AS request
    LEFT JOIN connections_app_connection AS connection ON connection.id = request.connection_id
    LEFT JOIN connections_app_script AS script ON script.id = request.script_id
    WHERE sha256(request.token::bytea) = sha256(%s::bytea)
"""

# Binds the request to the call that first uses its token, and claims the script: until the first “connected”
# it may be sent repeatedly, but a script that dials only then, and once. An inferred match of the call or the
# request gives way. A script that dials what was marked “do not call” after its request is claimed, but not
# sent. The parts run, and so lock, in the order in which they are written: first the call, since binding
# writes the operator to it.
BIND_AND_CLAIM = f"""
    WITH call AS (
        SELECT id, status FROM connections_app_connection WHERE connection_id = %(connection_id)s
        FOR NO KEY UPDATE
    ), released AS (
        UPDATE connections_app_callrequest AS other SET {RELEASED}
        FROM call WHERE %(is_news)s AND other.connection_id = call.id AND other.id <> %(request)s
            AND other.{CONCLUDED}
        RETURNING other.id
    ), others AS (
        SELECT FROM call JOIN connections_app_callrequest AS other ON other.connection_id = call.id
        WHERE other.id <> %(request)s AND other.id NOT IN (SELECT id FROM released)
    ), bound AS (
        UPDATE connections_app_callrequest AS request SET
            connection_id = (SELECT id FROM call), outcome = 'accepted', reason = '',
            called_back_at = coalesce(called_back_at, clock_timestamp()),
            answered_at = coalesce(answered_at, clock_timestamp()),
            settled_by = CASE WHEN settled_by IN ('', 'list', 'person') THEN 'callback' ELSE settled_by END
        WHERE %(is_news)s AND request.id = %(request)s AND NOT EXISTS (SELECT FROM others) AND (
            connection_id IS NULL OR connection_id = (SELECT id FROM call)
            OR called_back_at IS NULL AND {CONCLUDED}
        )
        RETURNING request.id
    ), mine AS (
        SELECT FROM call WHERE NOT %(is_news)s OR EXISTS (SELECT FROM bound)
    ), marked AS ({dialling.MARKED}), claimed AS (
        UPDATE connections_app_script AS script SET
            offered_at = CASE
                WHEN EXISTS (SELECT FROM marked) THEN script.offered_at
                ELSE coalesce(script.offered_at, clock_timestamp())
            END,
            settled_at = CASE WHEN %(is_last)s THEN clock_timestamp() END
        WHERE script.id = %(script)s AND (%(is_last)s OR NOT script.dials) AND EXISTS (SELECT FROM mine)
            AND (SELECT status FROM call) IN ('connecting', 'connected')
            AND {MAY_BE_GIVEN.replace("%(call)s", "(SELECT id FROM call)")}
        RETURNING script.id, script.settled_at, script.offered_at >= now() AS is_first
    )
    SELECT EXISTS (SELECT FROM mine), (SELECT id FROM call), claimed.id, claimed.settled_at, claimed.is_first,
        (SELECT array_agg(requested) FROM marked)
    FROM (VALUES (1)) AS one LEFT JOIN claimed ON true
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class StatusRequest:
    """The request of a token: the call it has become so far, and its script, which may already be settled."""

    request: int
    called_back_at: datetime | None
    connection_id: str | None
    script: int | None
    settled_at: datetime | None
    commands: str | None
    confirmed: list[str] | None

    @classmethod
    def of(cls, token: str) -> Self:
        """Return the request of this token. Raises `WrongToken`."""
        with database.cursor() as cursor:
            cursor.execute(READ, [token])
            row = cursor.fetchone()
        if row is None:
            raise WrongToken
        return cls(*row)

    @property
    def is_news(self) -> bool:
        """Return True if no callback has named its call yet."""
        return self.called_back_at is None or self.connection_id is None

    def may_be_given(self, observed: Observation) -> bool:
        """Return True if the script may be sent, as far as is known before it is claimed."""
        return self.script is not None and self.settled_at is None and observed.status in IN_PROGRESS


@dataclass(frozen=True, slots=True)
class Claim:
    """The result of `BIND_AND_CLAIM`: whether the call is this request's; the key of its script if it was
    claimed, when that was settled, and whether for the first time.

    `marked` holds endpoints marked “do not call” that the script dials: then it is not sent.
    """

    is_mine: bool
    script: int | None
    settled_at: datetime | None
    is_first: bool
    marked: list[str]


def answer_status(received: Received) -> Answered:
    """Store the change, and answer with the script while it is in force. At most four statements.

    Raises `WrongToken`. Source: "One script in force" in docs/architecture.md.
    """
    status_request = StatusRequest.of(received.token)
    try:
        with transaction.atomic():
            observed = received.connection
            answered = _answer(status_request, observed, received)
            received.keep(
                Callback.Kind.STATUS,
                answered,
                connection_id=observed.connection_id,
                call_request=status_request.request,
            )
    except Refused as refused:
        answered = refused.answered
        received.keep(Callback.Kind.STATUS, answered, call_request=status_request.request)
    return answered


def _answer(status_request: StatusRequest, observed: Observation, received: Received) -> Answered:
    """Return the answer. Raises `Refused` if the request has another call, or the call another request."""
    if not status_request.is_news and status_request.connection_id != observed.connection_id:
        raise Refused(404, "This address belongs to another call.")
    ingest([observed], Source.CALLBACK)
    may_send = status_request.may_be_given(observed)
    if not may_send and not status_request.is_news:
        return Answered()
    commands = json.loads(status_request.commands) if may_send and status_request.commands else []
    claim = _bind_and_claim(status_request, observed, commands, status_request.script if may_send else None)
    if not claim.is_mine:
        raise Refused(404, "This address belongs to another call, or the call to another address.")
    if claim.script and claim.marked:
        return Answered.not_dialling(dialling.refused(claim.marked))
    claimed = received.claimed
    claimed.script, claimed.settled_at, claimed.is_first = claim.script, claim.settled_at, claim.is_first
    return Answered.with_routine(commands if claim.script else None)


def _bind_and_claim(
    status_request: StatusRequest, observed: Observation, commands: list[JSONObject], script: int | None
) -> Claim:
    """Bind the request to its call, and claim `script`, which has these `commands`."""
    with database.cursor() as cursor:
        cursor.execute(
            BIND_AND_CLAIM,
            {
                "connection_id": observed.connection_id,
                "request": status_request.request,
                "script": script,
                "is_news": status_request.is_news,
                "is_last": observed.status == Status.CONNECTED,
                "mistaken": MISTAKEN,
                "dialled": list(dialling.endpoints_in(commands)),
                "confirmed": status_request.confirmed or [],
            },
        )
        is_mine, call, claimed, settled_at, is_first, marked = cursor.fetchone()
    if is_mine:
        announce([call])
    return Claim(is_mine, claimed, settled_at, bool(is_first), marked or [])
