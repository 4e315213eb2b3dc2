"""What became of the requests whose answer did not come: by the clock, by Sift's list, or by a person."""

from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction

from connections_app.binding import bind
from connections_app.control.asking import JUST_SENT, close, record_outcome
from connections_app.models import (
    Action,
    CallRequest,
    Connection,
    Direction,
    Operator,
    Outcome,
    Push,
    Settled,
    Verb,
)
from connections_app.models.connection import ConnectionQuerySet
from connections_app.recording import record
from connections_app.rights import may_settle

NEVER_ANSWERED = "The dashboard was stopped before Sift's answer came."
# How far from the request's time a call may have begun to be taken for it; clocks may differ by minutes.
AROUND = timedelta(minutes=10)


class AlreadySettled(Exception):
    """The request's outcome is known, or the call is another request's."""


def expire(now: datetime) -> None:
    """Requests past their deadline that nobody wrote an answer for are unknown from now on."""
    for kind, verb in ((CallRequest, Verb.PLACE), (Push, Verb.PUSH)):
        late = kind._default_manager.filter(outcome=Outcome.SENDING, deadline__lt=now)
        for asked in late.order_by("pk"):
            _expire(asked, verb)


def _expire(asked: CallRequest | Push, verb: Verb) -> None:
    with transaction.atomic():
        if close(asked, JUST_SENT, Outcome.UNKNOWN, NEVER_ANSWERED):
            record_outcome(verb, asked, f"Unknown: {NEVER_ANSWERED}")


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
        Connection.objects.filter(
            to_endpoint=request.endpoint,
            first_seen_at__gte=request.asked_at,
            at__range=(request.asked_at - AROUND, request.asked_at + AROUND),
            call_request=None,
        )
        .exclude(direction=Direction.OUTGOING)
        .for_rows()
    )


def match_by_list(requests: list[CallRequest]) -> None:
    """Bind each request that is the only open one for its endpoint and has one candidate."""
    endpoints = [request.endpoint for request in requests]
    for request in requests:
        is_only = endpoints.count(request.endpoint) == 1 and not _is_being_sent(request)
        found = list(candidates(request)[:2]) if is_only else []
        if len(found) == 1:
            bind(request.pk, found[0].pk, Settled.LIST)


def settle(request: CallRequest, connection_id: str, operator: Operator, address: str | None) -> None:
    """A person says which call the request became, or with an empty id that it became none.

    Raises `PermissionDenied`, and `AlreadySettled` where that is known or the call is no candidate.
    """
    if not may_settle(operator, request):
        raise PermissionDenied("You may not settle this request.")
    with transaction.atomic():
        record(
            Verb.SETTLE,
            Action.Phase.INTENT,
            operator,
            address=address,
            connection_id=connection_id,
            subject=str(request.request_id),
        )
        is_settled = _is_call(request, connection_id) if connection_id else _is_none(request, operator)
        if not is_settled:
            raise AlreadySettled
        record(
            Verb.SETTLE,
            Action.Phase.OUTCOME,
            operator,
            address=address,
            connection_id=connection_id,
            subject=str(request.request_id),
            outcome="It is this call." if connection_id else "No call was made.",
        )


def _is_being_sent(request: CallRequest) -> bool:
    """Whether another request for the same endpoint waits for its answer: the call may be that one's."""
    return CallRequest.objects.filter(
        outcome=Outcome.SENDING, phone_number=request.phone_number, client_name=request.client_name
    ).exists()


def _is_call(request: CallRequest, connection_id: str) -> bool:
    found = candidates(request).filter(connection_id=connection_id).first()
    return found is not None and bind(request.pk, found.pk, Settled.PERSON)


def _is_none(request: CallRequest, operator: Operator) -> bool:
    changed = CallRequest.objects.filter(pk=request.pk, outcome=Outcome.UNKNOWN, connection=None).update(
        outcome=Outcome.REJECTED,
        reason=f"{operator.get_username()} looked, and says that no call was made.",
        settled_by=Settled.PERSON,
    )
    return changed == 1
