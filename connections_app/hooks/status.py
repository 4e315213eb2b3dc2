"""Answer a status callback: a placed call has changed, and asks for its script."""

from typing import Any

from django.db import connection as database
from django.db import transaction
from django.db.models import Value

from connections_app.binding import release
from connections_app.hooks.receiving import Answered, NotUnderstood, Received, WrongToken
from connections_app.ingest import ingest
from connections_app.models import (
    Callback,
    CallRequest,
    Script,
    Source,
    Status,
    TokenDigest,
)
from connections_app.scripts import IN_FORCE
from connections_app.sift.payloads import Observation

SCRIPT = ("commands", "settled_at")

# Binds the request to the call that first uses its token, and claims the script: until the first “connected”
# it may be given again and again, but one that dials only then, and once.
TAKE = f"""
    WITH call AS (
        SELECT id, status FROM connections_app_connection WHERE connection_id = %(connection_id)s
    ), others AS (
        SELECT call.id FROM call JOIN connections_app_callrequest AS other ON other.connection_id = call.id
        WHERE other.id <> %(request)s
    ), bound AS (
        UPDATE connections_app_callrequest SET
            connection_id = coalesce(connection_id, (SELECT id FROM call)),
            called_back_at = coalesce(called_back_at, clock_timestamp()),
            answered_at = coalesce(answered_at, clock_timestamp()),
            settled_by = CASE WHEN connection_id IS NULL THEN 'callback' ELSE settled_by END,
            outcome = 'accepted', reason = ''
        WHERE id = %(request)s AND (connection_id IS NULL OR called_back_at IS NULL)
            AND NOT EXISTS (SELECT FROM others)
    ), given AS (
        UPDATE connections_app_script AS script SET
            offered_at = coalesce(script.offered_at, clock_timestamp()),
            settled_at = CASE WHEN %(is_last)s THEN clock_timestamp() END
        WHERE script.id = %(script)s AND (%(is_last)s OR NOT script.dials)
            AND NOT EXISTS (SELECT FROM others) AND (SELECT status FROM call) IN ('connecting', 'connected')
            AND {IN_FORCE.replace("%(call)s", "(SELECT id FROM call)")}
        RETURNING script.id
    )
    SELECT EXISTS (SELECT FROM given), (SELECT id FROM others)
"""  # noqa: S608
LIVE = (Status.CONNECTING, Status.CONNECTED)


def answer_status(received: Received) -> Answered:
    """Take in what changed, and answer with the script while it is in force. At most four statements.

    Raises `WrongToken`. Source: "One script in force" in docs/architecture.md.
    """
    with transaction.atomic():
        request = _request_of(received.token)
        answered, observed = _answer(request, received)
        received.keep(
            Callback.Kind.STATUS,
            answered,
            connection_id=observed.connection_id if observed else None,
            call_request=request.pk,
        )
    return answered


def _request_of(token: str) -> CallRequest:
    """The request whose token it is, locked, so that callbacks about one call wait for each other."""
    request = (
        CallRequest.objects.alias(by=TokenDigest("token"))
        .filter(by=TokenDigest(Value(token)))
        .select_related("script", "connection")
        .only("called_back_at", "connection__connection_id", *(f"script__{name}" for name in SCRIPT))
        .select_for_update(of=("self",))
        .first()
    )
    if request is None:
        raise WrongToken
    return request


def _answer(request: CallRequest, received: Received) -> tuple[Answered, Observation | None]:
    try:
        observed = received.connection
    except NotUnderstood as problem:
        return Answered.refusing(400, str(problem)), None
    if request.connection and request.connection.connection_id != observed.connection_id:
        return Answered.refusing(404, "This address belongs to another call."), None
    ingest([observed], Source.CALLBACK)
    script = request.script if _is_to_be_given(request.script, observed) else None
    is_news = request.connection is None or request.called_back_at is None
    if (script or is_news) and _take(request, observed, script):
        return Answered.with_routine(script.commands if script else None), observed
    return Answered(), observed


def _is_to_be_given(script: Script | None, observed: Observation) -> bool:
    """Whether the callback may ask for the script, as far as is known before it is claimed."""
    return script is not None and observed.status in LIVE and script.settled_at is None


def _take(request: CallRequest, observed: Observation, script: Script | None) -> bool:
    """Bind, and claim the script; whether it is given. What Sift's list only seemed to say gives way."""
    told = {
        "connection_id": observed.connection_id,
        "request": request.pk,
        "script": script.pk if script else None,
        "is_last": observed.status == Status.CONNECTED,
    }
    is_given, other = _took(told)
    if other is not None and release(other):
        is_given, _ = _took(told)
    return is_given


def _took(told: dict[str, Any]) -> tuple[bool, int | None]:
    """Whether the script was given, and the call's key where it is another request's."""
    with database.cursor() as cursor:
        cursor.execute(TAKE, told)
        is_given, other = cursor.fetchone()
    return is_given, other
