"""Run a routine on a live call, or hang it up, for the person who asks."""

from django.db import IntegrityError, transaction
from django.db import connection as database

from connections_app import scripts
from connections_app.addresses import without_tokens
from connections_app.announcing import announce
from connections_app.control import checking
from connections_app.control.asking import JUST_SENT, OPEN, Asked, ask, close, record_outcome
from connections_app.models import Action, Connection, Origin, Outcome, Push, Verb
from connections_app.recording import record
from connections_app.rights import check_may_steer
from connections_app.scripts import Made, Wanted
from connections_app.sift.outcomes import Accepted, Rejected, Unknown
from connections_app.sift.routine import JSONObject

VERBS = {Push.Kind.ROUTINE: Verb.PUSH, Push.Kind.HANG_UP: Verb.HANG_UP, Push.Kind.FALLBACK: Verb.PUSH}
ENDED = "The call has ended."


def push_routine(connection: Connection, wanted: Wanted, asked: Asked) -> Push:
    """Stop what runs on `connection` and start `wanted`, once.

    A call that has ended rejects it, and Sift is asked nothing. A push that was made before is returned as it
    stands. Raises `PermissionDenied`, `OtherRequest`. Sift: "Set the routine for a connection".
    """
    check_may_steer(asked.operator, connection)
    if before := asked.before(Push):
        return before
    return _push(connection, wanted, asked, Push.Kind.ROUTINE, Origin.PUSHED)


def hang_up(connection: Connection, asked: Asked, *, is_stale: bool = False) -> Push:
    """End `connection`. One that has ended already is as good as hung up. Raises as `push_routine` does.

    Where what was seen of it `is_stale`, Sift is first asked how it stands.
    """
    check_may_steer(asked.operator, connection)
    if before := asked.before(Push):
        return before
    if is_stale:
        checking.read_again(connection)
    return _push(connection, scripts.HANG_UP, asked, Push.Kind.HANG_UP, Origin.HANG_UP)


def _push(connection: Connection, wanted: Wanted, asked: Asked, kind: Push.Kind, origin: Origin) -> Push:
    is_over = not connection.is_in_progress
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
    connection: Connection, wanted: Wanted, asked: Asked, kind: Push.Kind, origin: Origin
) -> tuple[Push, Made]:
    """Commit the push, its script, which supersedes the one in force, and the intent, together."""
    with transaction.atomic():
        made = scripts.make_for(connection, wanted, origin)
        push = Push.objects.create(kind=kind, connection=connection, script_id=made.pk, **asked.fields())
        record(
            VERBS[kind],
            Action.Phase.INTENT,
            asked.operator,
            address=asked.address,
            connection_id=connection.connection_id,
            subject=str(asked.request_id),
            payload={"routine": without_tokens(made.commands)},
        )
    return push, made


def send(push: Push, commands: list[JSONObject]) -> Accepted | Rejected | Unknown:
    """The one POST of a push that is written down; the database is not used."""
    connection_id = push.connection.connection_id
    return ask(
        push,
        lambda client, late: client.set_routine(connection_id, commands, late),
        lambda answer: finish(push, answer),
    )


def _already_ended(connection: Connection) -> Accepted | None:
    """Whether a call that could not be hung up is over: Sift is asked for it, where that is not known yet."""
    if connection.is_in_progress:
        checking.read_again(connection)
    return None if connection.is_in_progress else Accepted("It had ended already.")


def finish(push: Push, outcome: Accepted | Rejected | Unknown, asked: Asked | None = None) -> None:
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
