"""Set the outcome of requests that got no answer: after their deadline, or as a person states."""

from datetime import datetime

from django.db import transaction

from connections_app.access.permissions import check_may_settle
from connections_app.audit.log import record
from connections_app.calls.request_matching import bind, candidates
from connections_app.control.requests import JUST_SENT, close, record_outcome
from connections_app.models import (
    Action,
    CallRequest,
    Operator,
    Outcome,
    Push,
    Settled,
    Verb,
)
from connections_app.sift.connection_ids import problem_with_id

NEVER_ANSWERED = "The dashboard was stopped, or held up, before it could note Sift's answer."


class AlreadySettled(Exception):
    """Raised if the request's outcome is known, or the call belongs to another request."""


def expire(now: datetime) -> None:
    """Set the outcome of requests past their deadline without an answer to unknown."""
    for kind, verb in ((CallRequest, Verb.PLACE), (Push, Verb.PUSH)):
        late = kind._default_manager.filter(outcome=Outcome.SENDING, deadline__lt=now)
        for request in late.order_by("pk"):
            _expire(request, verb)


def _expire(request: CallRequest | Push, verb: Verb) -> None:
    with transaction.atomic():
        if close(request, JUST_SENT, Outcome.UNKNOWN, NEVER_ANSWERED):
            record_outcome(verb, request, f"Unknown: {NEVER_ANSWERED}")


def settle(request: CallRequest, connection_id: str, operator: Operator, address: str | None) -> None:
    """Record which call the request became, as `operator` states; an empty id means none.

    Raises `PermissionDenied`, and `AlreadySettled` if that is known or the call is not a candidate.
    """
    check_may_settle(operator, request)
    if problem_with_id(connection_id):
        raise AlreadySettled
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
