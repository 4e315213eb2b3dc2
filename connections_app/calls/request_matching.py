"""Which call a request to place one became: bound to it for sure, or concluded from Sift's list."""

from collections import Counter
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db import connection as database

from connections_app.calls.notify import announce
from connections_app.models import CallRequest, Connection, Direction, Outcome, Settled
from connections_app.models.case_folding import Folded, key_of, keyed
from connections_app.models.connection import ConnectionQuerySet

# How far from the request's time a call may have begun to be taken for it; clocks may differ by minutes.
AROUND = timedelta(minutes=10)
# What was only concluded gives way to what Sift itself says.
CONCLUDED = "settled_by IN ('list', 'person')"
MISTAKEN = "The call that this request seemed to have become belongs to another request."
# What is set on a request whose call turned out to be another request's.
RELEASED = """
    connection_id = NULL, outcome = 'unknown', settled_by = '', reason = %(mistaken)s,
    answered_at = clock_timestamp()
"""
RELEASE = f"""
    UPDATE connections_app_callrequest SET {RELEASED} WHERE connection_id = %(connection)s AND {CONCLUDED}
"""  # noqa: S608
BIND = f"""
    UPDATE connections_app_callrequest
    SET connection_id = %(connection)s, settled_by = %(settled_by)s, outcome = 'accepted', reason = '',
        answered_at = coalesce(answered_at, clock_timestamp())
    WHERE id = %(request)s AND (
        connection_id IS NULL OR connection_id = %(connection)s
        OR %(is_sure)s AND {CONCLUDED}
    )
"""  # noqa: S608
# Whoever merges locks calls before requests; so does who binds, since a call is told who placed it.
LOCK = "SELECT FROM connections_app_connection WHERE id = %s FOR NO KEY UPDATE"


def bind(request: int, connection: int, settled_by: Settled) -> bool:
    """Note that `request` became `connection`, and so was placed; False where either has another already."""
    values: dict[str, str | int | bool] = {
        "request": request,
        "connection": connection,
        "settled_by": settled_by.value,
        "is_sure": settled_by not in (Settled.LIST, Settled.PERSON),
    }
    try:
        with transaction.atomic(), database.cursor() as cursor:
            cursor.execute(LOCK, [connection])
            cursor.execute(BIND, values)
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
    """Take a call from the request that it was concluded to belong to. Returns True if there was one."""
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(LOCK, [connection])
        cursor.execute(RELEASE, {"connection": connection, "mistaken": MISTAKEN})
        return bool(cursor.rowcount == 1)


def unbound(now: datetime) -> list[CallRequest]:
    """Requests that Sift took, or may have taken, and of which it is not known which call they became."""
    return list(
        CallRequest.objects.filter(
            connection=None, outcome__in=(Outcome.ACCEPTED, Outcome.UNKNOWN), asked_at__gt=now - 2 * AROUND
        ).order_by("pk")
    )


def candidates(request: CallRequest) -> ConnectionQuerySet:
    """Calls to the request's endpoint that we first saw after it, and that are no other request's."""
    return (
        Connection.objects.alias(to_key=Folded("to_endpoint"))
        .filter(
            to_key=key_of(request.endpoint),
            first_seen_at__gte=request.asked_at,
            at__range=(request.asked_at - AROUND, request.asked_at + AROUND),
            call_request=None,
        )
        .exclude(direction=Direction.OUTGOING)
        .for_rows()
    )


def match_by_list(requests: list[CallRequest]) -> None:
    """Bind each request that is the only open one for its endpoint and has one candidate."""
    keys = keyed(request.endpoint for request in requests)
    counts = Counter(keys[request.endpoint] for request in requests)
    for request in requests:
        is_only = counts[keys[request.endpoint]] == 1 and not _is_being_sent(request)
        found = list(candidates(request)[:2]) if is_only else []
        if len(found) == 1:
            bind(request.pk, found[0].pk, Settled.LIST)


def _is_being_sent(request: CallRequest) -> bool:
    """Whether another request for the same endpoint waits for its answer: the call may be that one's."""
    sending = CallRequest.objects.alias(client_key=Folded("client_name"))
    return sending.filter(
        outcome=Outcome.SENDING,
        phone_number=request.phone_number,
        client_key=key_of(request.client_name),
    ).exists()
