"""Ask Sift how one call stands, and take a call off the board that Sift does not know."""

from django.core.exceptions import PermissionDenied
from django.db import connection as database
from django.db import transaction

from connections_app import reading_again
from connections_app.ingest import doubt
from connections_app.models import Action, Connection, Doubt, Operator, Source, Status, Verb
from connections_app.recording import record
from connections_app.sift.client import SiftClient
from connections_app.sift.errors import SiftError


def check(connection: Connection) -> str:
    """Ask Sift about `connection`, take in what it answers, and say so. Waits five seconds at most."""
    if problem := read_again(connection):
        return f"Sift did not answer: {problem}"
    match connection.doubt:
        case Doubt.NONE:
            return f"Sift says: {Status(connection.status).label.lower()}."
        case Doubt.UNCONFIRMED:
            return "Sift does not know this call. It may have ended."
        case _:
            return "Sift no longer knows this call."


def read_again(connection: Connection) -> str:
    """Bring `connection` up to date with what Sift says now; why that could not be, else nothing."""
    database.close()  # None is held while Sift is waited for.
    client = SiftClient.configured().hasty()
    try:
        answer = reading_again.ask(client, connection)
    except SiftError as error:
        return str(error)
    finally:
        client.close()
    with transaction.atomic():
        reading_again.settle(connection, answer)
    connection.refresh_from_db()
    return ""


def clear(connection: Connection, operator: Operator, address: str | None) -> bool:
    """Take an unconfirmed call off the board, on record; whether it still was unconfirmed.

    What Sift says of it later brings it back. Raises `PermissionDenied` for who is no supervisor.
    """
    if not operator.has_perm("connections_app.steer_any_call"):
        raise PermissionDenied("A supervisor clears calls that Sift does not know.")
    with transaction.atomic():
        unconfirmed = Connection.objects.in_progress().filter(pk=connection.pk, doubt=Doubt.UNCONFIRMED)
        if not unconfirmed.select_for_update().exists():
            return False
        record(
            Verb.CLEAR,
            Action.Phase.OUTCOME,
            operator,
            address=address,
            connection_id=connection.connection_id,
            subject=connection.connection_id,
            outcome="Cleared: Sift does not know it.",
        )
        doubt(connection, Doubt.LOST, Source.PERSON)
    return True
