"""Run a routine on a live call, or hang it up, for the person who asks."""

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


def push_routine(connection: Connection, wanted: ScriptRequest, asked: SiftRequest) -> Push:
    """Stop what runs on `connection` and start `wanted`, once.

    A call that has ended rejects it, and Sift is asked nothing. A push that was made before is returned as it
    stands. Raises `PermissionDenied`, `RequestConflict`, and `NotDialled` where a rule objects to what would
    be dialled and the person did not confirm it. Sift: "Set the routine for a connection".
    """
    check_may_steer(asked.operator, connection)
    if before := asked.before(Push):
        return before
    return _push(connection, wanted, asked, Push.Kind.ROUTINE, Origin.PUSHED)


def hang_up(connection: Connection, asked: SiftRequest, *, is_stale: bool = False) -> Push:
    """End `connection`. One that has ended already is as good as hung up. Raises as `push_routine` does.

    Where what was seen of it `is_stale`, Sift is first asked how it stands.
    """
    check_may_steer(asked.operator, connection)
    if before := asked.before(Push):
        return before
    if is_stale:
        checking.read_again(connection)
    return _push(connection, scripts.HANG_UP, asked, Push.Kind.HANG_UP, Origin.HANG_UP)


def _push(
    connection: Connection, wanted: ScriptRequest, asked: SiftRequest, kind: Push.Kind, origin: Origin
) -> Push:
    # Whether a call that Sift did not list or know any more has ended is Sift's to say.
    is_over = connection.status not in IN_PROGRESS
    try:
        push, made = _write_down(connection, wanted, asked, kind, origin)
    except IntegrityError as error:
        return asked.faster(Push, error)
    database.close()  # None is held while Sift is waited for.
    outcome = Rejected(ENDED) if is_over else send(push, made.commands)
    if isinstance(outcome, Rejected) and kind == Push.Kind.HANG_UP:
        outcome = _already_ended(connection) or outcome
    finish(push, outcome, asked)
    push.refresh_from_db()
    return push


def _write_down(
    connection: Connection, wanted: ScriptRequest, asked: SiftRequest, kind: Push.Kind, origin: Origin
) -> tuple[Push, Made]:
    """Commit the push, its script, which supersedes the one in force, and the intent, together."""
    with transaction.atomic():
        dialling.check(wanted.dialled, asked.confirmed)
        made = scripts.make_for(connection, wanted, origin, asked.confirmed.marked)
        push = Push.objects.create(kind=kind, connection=connection, script_id=made.pk, **asked.fields())
        record(
            VERBS[kind],
            Action.Phase.INTENT,
            asked.operator,
            address=asked.address,
            connection_id=connection.connection_id,
            subject=str(asked.request_id),
            payload={"routine": without_tokens(made.commands), **asked.confirmed.payload()},
        )
    return push, made


def send(push: Push, commands: list[JSONObject]) -> Accepted | Rejected | Unknown:
    """The one POST of a push that is written down; the database is not used."""
    connection_id = push.connection.connection_id
    return send_once(
        push,
        lambda client, late: client.set_routine(connection_id, commands, late),
        lambda answer: finish(push, answer),
    )


def _already_ended(connection: Connection) -> Accepted | None:
    """Return the outcome of a hang-up that Sift refused because the call has ended, else None.

    Sift is asked how the call stands where its end is not known.
    """
    if connection.status in IN_PROGRESS:
        checking.read_again(connection)
    return None if connection.status in IN_PROGRESS else Accepted("It had ended already.")


def finish(push: Push, outcome: Accepted | Rejected | Unknown, asked: SiftRequest | None = None) -> None:
    """Write down and record what Sift answered; what Sift refused supersedes nothing."""
    with transaction.atomic():
        match outcome:
            case Accepted(note):
                close(push, OPEN, Outcome.ACCEPTED, note)
                words = f"Accepted. {note}".strip()
            case Rejected(reason):
                if close(push, OPEN, Outcome.REJECTED, reason):
                    scripts.take_back(push.script_id)
                words = f"Rejected: {reason}"
            case Unknown(reason):
                close(push, JUST_SENT, Outcome.UNKNOWN, reason)
                words = f"Unknown: {reason}"
        verb = VERBS[Push.Kind(push.kind)]
        record_outcome(verb, push, words, asked, push.connection.connection_id)
        announce([push.connection.pk])
