"""Ask Sift for the state of one call, and remove a call that Sift does not know from the board."""

import logging

from django.db import connection as database
from django.db import transaction

from connections_app.access.permissions import check_may_clear
from connections_app.audit.log import record
from connections_app.calls import refresh
from connections_app.calls.ingest import doubt
from connections_app.models import Action, Connection, Doubt, Operator, Source, Status, Verb
from connections_app.sift.client import SiftClient
from connections_app.sift.errors import SiftError
from connections_app.sift.payloads import Observation, Unusable

logger = logging.getLogger(__name__)


def check(connection: Connection) -> str:
    """Ask Sift about `connection`, save its answer, and return it as a sentence. Waits up to 10 s."""
    try:
        answer = _answer(connection)
    except SiftError as error:
        return f"Sift did not answer: {error}"
    match answer:
        case Observation(status=status):
            return f"Sift says: {Status(status).label.lower()}."
        case Unusable(reason=reason):
            return f"Sift's answer cannot be used: {reason}"
        case None if connection.is_in_progress:
            return "Sift does not know this call. It may have ended."
        case None:
            return "Sift does not know this call any more."


def read_again(connection: Connection) -> None:
    """Update `connection` from Sift; leave it unchanged if Sift does not answer."""
    try:
        _answer(connection)
    except SiftError as error:
        logger.info("Call %s was not read again: %s", connection.connection_id, error)


def _answer(connection: Connection) -> Observation | Unusable | None:
    """Save and return Sift's answer; None if Sift does not know the call. Raises `SiftError`."""
    database.close()  # No database connection is held during the request to Sift.
    client = SiftClient.configured(is_urgent=True).with_short_timeout()
    try:
        answer = refresh.ask(client, connection)
    finally:
        client.close()
    with transaction.atomic():
        refresh.settle(connection, answer)
    connection.refresh_from_db()
    return answer


def clear(connection: Connection, operator: Operator, address: str | None) -> bool:
    """Remove an unconfirmed call from the board, and record it. Returns True if it was still unconfirmed.

    A later report from Sift brings it back. Raises `PermissionDenied` unless `operator` is a supervisor.
    """
    check_may_clear(operator)
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
