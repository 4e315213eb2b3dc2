"""Match each request to place a call with the call it became: known from Sift, or inferred from its list."""

from collections import Counter
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db import connection as database

from connections_app.calls.notify import announce
from connections_app.models import CallRequest, Connection, Direction, Outcome, Settled
from connections_app.models.case_folding import Folded, key_of, keyed
from connections_app.models.connection import ConnectionQuerySet

MAX_SKEW = timedelta(minutes=10)  # between request and call, since clocks differ by minutes
# A match that was only inferred gives way to one that Sift itself states.
CONCLUDED = "settled_by IN ('list', 'person')"
MISTAKEN = "The call that this request seemed to have become belongs to another request."
# Set on a request whose call turned out to belong to another request.
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
# Lock the call before its request, as the merge does: binding also writes the operator to the call.
LOCK = "SELECT FROM connections_app_connection WHERE id = %s FOR NO KEY UPDATE"


def bind(request: int, connection: int, settled_by: Settled) -> bool:
    """Record that `request` became `connection`. Returns False if either already has another match."""
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


def bind_confirmed(request: int, connection: int, settled_by: Settled) -> bool:
    """Bind on Sift's own word: another request only inferred to be that call becomes unknown again."""
    return bind(request, connection, settled_by) or (
        release(connection) and bind(request, connection, settled_by)
    )


def release(connection: int) -> bool:
    """Unbind a call from the request inferred to have become it. Returns True if there was one."""
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(LOCK, [connection])
        cursor.execute(RELEASE, {"connection": connection, "mistaken": MISTAKEN})
        return bool(cursor.rowcount == 1)


def unbound(now: datetime) -> list[CallRequest]:
    """Return recent requests that Sift accepted, or may have accepted, and that have no call yet."""
    return list(
        CallRequest.objects.filter(
            connection=None, outcome__in=(Outcome.ACCEPTED, Outcome.UNKNOWN), asked_at__gt=now - 2 * MAX_SKEW
        ).order_by("pk")
    )


def candidates(request: CallRequest) -> ConnectionQuerySet:
    """Return calls to the request's endpoint, first seen after it, that belong to no other request."""
    return (
        Connection.objects.alias(to_key=Folded("to_endpoint"))
        .filter(
            to_key=key_of(request.endpoint),
            first_seen_at__gte=request.asked_at,
            at__range=(request.asked_at - MAX_SKEW, request.asked_at + MAX_SKEW),
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
        is_only = counts[keys[request.endpoint]] == 1 and not _has_unanswered_rival(request)
        found = list(candidates(request)[:2]) if is_only else []
        if len(found) == 1:
            bind(request.pk, found[0].pk, Settled.LIST)


def _has_unanswered_rival(request: CallRequest) -> bool:
    """Return True if another request to the same endpoint is unanswered: the call may be that one's."""
    sending = CallRequest.objects.alias(client_key=Folded("client_name"))
    return sending.filter(
        outcome=Outcome.SENDING,
        phone_number=request.phone_number,
        client_key=key_of(request.client_name),
    ).exists()
