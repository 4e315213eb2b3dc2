"""Which call a request to place one became."""

from django.db import IntegrityError, transaction
from django.db import connection as database
from django.utils import timezone

from connections_app.announcing import announce
from connections_app.models import CallRequest, Outcome, Settled

BIND = """
    UPDATE connections_app_callrequest
    SET connection_id = %(connection)s, settled_by = %(settled_by)s, outcome = 'accepted', reason = '',
        answered_at = coalesce(answered_at, clock_timestamp())
    WHERE id = %(request)s AND (
        connection_id IS NULL OR connection_id = %(connection)s
        OR %(is_sure)s AND settled_by IN ('list', 'person')
    )
"""
# Whoever merges locks calls before requests; so does who binds, since a call is told who placed it.
LOCK = "SELECT FROM connections_app_connection WHERE id = %s FOR NO KEY UPDATE"
# What was only concluded gives way to what Sift itself says.
CONCLUDED = (Settled.LIST, Settled.PERSON)
MISTAKEN = "The call that this request seemed to have become belongs to another request."


def bind(request: int, connection: int, settled_by: Settled) -> bool:
    """Note that `request` became `connection`, and so was placed; False where either has another already."""
    told: dict[str, str | int | bool] = {
        "request": request,
        "connection": connection,
        "settled_by": settled_by.value,
        "is_sure": settled_by not in CONCLUDED,
    }
    try:
        with transaction.atomic(), database.cursor() as cursor:
            cursor.execute(LOCK, [connection])
            cursor.execute(BIND, told)
            is_bound = bool(cursor.rowcount == 1)
            if is_bound:
                announce([connection])
            return is_bound
    except IntegrityError:
        return False


def bind_for_sure(request: int, connection: int, settled_by: Settled) -> bool:
    """As `bind`, when Sift itself says so: another request only thought to be that call is unknown again."""
    return bind(request, connection, settled_by) or (
        release(connection) and bind(request, connection, settled_by)
    )


def release(connection: int) -> bool:
    """Take a call from the request that it was concluded to belong to, if it was."""
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(LOCK, [connection])
        return _released(connection) == 1


def _released(connection: int) -> int:
    return CallRequest.objects.filter(connection=connection, settled_by__in=CONCLUDED).update(
        connection=None,
        outcome=Outcome.UNKNOWN,
        settled_by="",
        reason=MISTAKEN,
        answered_at=timezone.now(),
    )
