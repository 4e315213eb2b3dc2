"""Run a routine on a live call, or hang it up, for a person."""

from django.db import IntegrityError, transaction
from django.db import connection as database

from connections_app.access.permissions import check_may_steer
from connections_app.audit.log import record
from connections_app.calls import dialling, scripts
from connections_app.calls.notify import announce
from connections_app.calls.scripts import Made, ScriptRequest
from connections_app.control import checking
from connections_app.control.requests import JUST_SENT, OPEN, SiftRequest, close, record_outcome, send_once
from connections_app.models import Action, Connection, Origin, Outcome, Push, Verb
from connections_app.models.connection import IN_PROGRESS
from connections_app.sift.outcomes import Accepted, Rejected, Unknown
from connections_app.sift.placeholders import JSONObject
from connections_app.web.callback_urls import without_tokens

VERBS = {Push.Kind.ROUTINE: Verb.PUSH, Push.Kind.HANG_UP: Verb.HANG_UP, Push.Kind.FALLBACK: Verb.PUSH}
ENDED = "The call has ended."


def push_routine(connection: Connection, script: ScriptRequest, sift_request: SiftRequest) -> Push:
    """Replace what runs on `connection` by `script`, once.

    A push to an ended call is rejected without a request to Sift. A repeated push is returned unchanged.
    Raises `PermissionDenied`, `RequestConflict`, and `NotDialled` if a rule objects to an endpoint that would
    be dialled and the person did not confirm it. Sift: "Set the routine for a connection".
    """
    check_may_steer(sift_request.operator, connection)
    if existing := sift_request.existing(Push):
        return existing
    return _push(connection, script, sift_request, Push.Kind.ROUTINE, Origin.PUSHED)


def hang_up(connection: Connection, sift_request: SiftRequest, *, is_stale: bool = False) -> Push:
    """End `connection`; accepted also if it has ended already. Raises the errors of `push_routine`.

    `is_stale` means that the person saw an old state: the call is first read from Sift again.
    """
    check_may_steer(sift_request.operator, connection)
    if existing := sift_request.existing(Push):
        return existing
    if is_stale:
        checking.read_again(connection)
    return _push(connection, scripts.HANG_UP, sift_request, Push.Kind.HANG_UP, Origin.HANG_UP)


def _push(
    connection: Connection, script: ScriptRequest, sift_request: SiftRequest, kind: Push.Kind, origin: Origin
) -> Push:
    # A call that Sift no longer lists or knows counts as in progress here: Sift decides whether it has ended.
    is_over = connection.status not in IN_PROGRESS
    try:
        push, made = _save(connection, script, sift_request, kind, origin)
    except IntegrityError as error:
        return sift_request.existing_or_raise(Push, error)
    database.close()  # No database connection is held during the request to Sift.
    outcome = Rejected(ENDED) if is_over else send(push, made.commands)
    if isinstance(outcome, Rejected) and kind == Push.Kind.HANG_UP:
        outcome = _already_ended(connection) or outcome
    finish(push, outcome, sift_request)
    push.refresh_from_db()
    return push


def _save(
    connection: Connection, script: ScriptRequest, sift_request: SiftRequest, kind: Push.Kind, origin: Origin
) -> tuple[Push, Made]:
    """Commit the push, its audit record, and its script, which replaces the one in force, together."""
    with transaction.atomic():
        dialling.check(script.dialled, sift_request.confirmed)
        made = scripts.make_for(connection, script, origin, sift_request.confirmed.marked)
        push = Push.objects.create(
            kind=kind, connection=connection, script_id=made.pk, **sift_request.fields()
        )
        record(
            VERBS[kind],
            Action.Phase.INTENT,
            sift_request.operator,
            address=sift_request.address,
            connection_id=connection.connection_id,
            subject=str(sift_request.request_id),
            payload={"routine": without_tokens(made.commands), **sift_request.confirmed.payload()},
        )
    return push, made


def send(push: Push, commands: list[JSONObject]) -> Accepted | Rejected | Unknown:
    """Send the only POST of a saved push, without using the database. Returns Sift's answer."""
    connection_id = push.connection.connection_id
    return send_once(
        push,
        lambda client, late: client.set_routine(connection_id, commands, late),
        lambda answer: finish(push, answer),
    )


def _already_ended(connection: Connection) -> Accepted | None:
    """Return the outcome of a hang-up that Sift rejected because the call has ended, else None.

    The call is read from Sift again if its end is not known.
    """
    if connection.status in IN_PROGRESS:
        checking.read_again(connection)
    return None if connection.status in IN_PROGRESS else Accepted("It had ended already.")


def finish(
    push: Push, outcome: Accepted | Rejected | Unknown, sift_request: SiftRequest | None = None
) -> None:
    """Save and record Sift's answer to a push; a script that Sift rejected replaces nothing."""
    with transaction.atomic():
        match outcome:
            case Accepted(note):
                close(push, OPEN, Outcome.ACCEPTED, note)
                words = f"Accepted. {note}".strip()
            case Rejected(reason):
                if close(push, OPEN, Outcome.REJECTED, reason):
                    scripts.undo_superseding(push.script_id)
                words = f"Rejected: {reason}"
            case Unknown(reason):
                close(push, JUST_SENT, Outcome.UNKNOWN, reason)
                words = f"Unknown: {reason}"
        verb = VERBS[Push.Kind(push.kind)]
        record_outcome(verb, push, words, sift_request, push.connection.connection_id)
        announce([push.connection.pk])
