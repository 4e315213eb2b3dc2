"""Answer a status callback: a placed call has changed, and asks for its script."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.db import connection as database
from django.db import transaction

from connections_app.announcing import announce
from connections_app.binding import MISTAKEN
from connections_app.hooks.receiving import Answered, Received, Refused, WrongToken
from connections_app.ingest import ingest
from connections_app.models import Callback, Source, Status
from connections_app.models.connection import IN_PROGRESS
from connections_app.scripts import IN_FORCE
from connections_app.sift.payloads import Observation

READ = """
    SELECT request.id, request.called_back_at, connection.connection_id, script.id, script.settled_at,
           script.commands
    FROM connections_app_callrequest AS request
    LEFT JOIN connections_app_connection AS connection ON connection.id = request.connection_id
    LEFT JOIN connections_app_script AS script ON script.id = request.script_id
    WHERE sha256(request.token::bytea) = sha256(%s::bytea)
"""

# Binds the request to the call that first uses its token, and claims the script: until the first “connected”
# it may be given again and again, but one that dials only then, and once. What was only concluded about the
# call, or about the request, gives way. The parts run, and so lock, in the order in which they stand: first
# the call, which is told who placed it.
TAKE = f"""
    WITH call AS (
        SELECT id, status FROM connections_app_connection WHERE connection_id = %(connection_id)s
        FOR NO KEY UPDATE
    ), released AS (
        UPDATE connections_app_callrequest AS other SET
            connection_id = NULL, outcome = 'unknown', settled_by = '', reason = %(mistaken)s,
            answered_at = clock_timestamp()
        FROM call WHERE %(is_news)s AND other.connection_id = call.id AND other.id <> %(request)s
            AND other.settled_by IN ('list', 'person')
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
            OR called_back_at IS NULL AND settled_by IN ('list', 'person')
        )
        RETURNING request.id
    ), mine AS (
        SELECT FROM call WHERE NOT %(is_news)s OR EXISTS (SELECT FROM bound)
    ), given AS (
        UPDATE connections_app_script AS script SET
            offered_at = coalesce(script.offered_at, clock_timestamp()),
            settled_at = CASE WHEN %(is_last)s THEN clock_timestamp() END
        WHERE script.id = %(script)s AND (%(is_last)s OR NOT script.dials) AND EXISTS (SELECT FROM mine)
            AND (SELECT status FROM call) IN ('connecting', 'connected')
            AND {IN_FORCE.replace("%(call)s", "(SELECT id FROM call)")}
        RETURNING script.id
    )
    SELECT EXISTS (SELECT FROM mine), EXISTS (SELECT FROM given), (SELECT id FROM call)
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Told:
    """The request whose token it is: which call it is by now, and whether its script may still be given."""

    request: int
    called_back_at: datetime | None
    connection_id: str | None
    script: int | None
    settled_at: datetime | None
    commands: str | None

    @classmethod
    def of(cls, token: str) -> Self:
        """Raises `WrongToken`."""
        with database.cursor() as cursor:
            cursor.execute(READ, [token])
            row = cursor.fetchone()
        if row is None:
            raise WrongToken
        return cls(*row)

    @property
    def is_news(self) -> bool:
        """Whether no callback has told yet which call it is."""
        return self.called_back_at is None or self.connection_id is None

    def may_be_given(self, observed: Observation) -> bool:
        """Whether the callback may ask for the script, as far as is known before it is claimed."""
        return self.script is not None and self.settled_at is None and observed.status in IN_PROGRESS


def answer_status(received: Received) -> Answered:
    """Take in what changed, and answer with the script while it is in force. At most four statements.

    Raises `WrongToken`. Source: "One script in force" in docs/architecture.md.
    """
    told = Told.of(received.token)
    try:
        with transaction.atomic():
            observed = received.connection
            answered = _answer(told, observed)
            received.keep(
                Callback.Kind.STATUS,
                answered,
                connection_id=observed.connection_id,
                call_request=told.request,
            )
    except Refused as refused:
        answered = refused.answered
        received.keep(Callback.Kind.STATUS, answered, call_request=told.request)
    return answered


def _answer(told: Told, observed: Observation) -> Answered:
    """Raises `Refused` where the request is another call's, or the call another request's."""
    if not told.is_news and told.connection_id != observed.connection_id:
        raise Refused(404, "This address belongs to another call.")
    ingest([observed], Source.CALLBACK)
    asks = told.may_be_given(observed)
    if not asks and not told.is_news:
        return Answered()
    is_mine, is_given = _take(told, observed, told.script if asks else None)
    if not is_mine:
        raise Refused(404, "This address belongs to another call, or the call to another address.")
    return Answered.with_routine(json.loads(told.commands) if is_given and told.commands else None)


def _take(told: Told, observed: Observation, script: int | None) -> tuple[bool, bool]:
    """Bind, and claim the script: whether the call is this request's, and whether the script is given."""
    with database.cursor() as cursor:
        cursor.execute(
            TAKE,
            {
                "connection_id": observed.connection_id,
                "request": told.request,
                "script": script,
                "is_news": told.is_news,
                "is_last": observed.status == Status.CONNECTED,
                "mistaken": MISTAKEN,
            },
        )
        is_mine, is_given, call = cursor.fetchone()
    if is_mine:
        announce([call])
    return is_mine, is_given
