"""Place a call, at most once."""

import logging
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db import connection as database
from django.utils import timezone

from connections_app.access.permissions import check_may_place
from connections_app.audit.log import record
from connections_app.calls import dialling, scripts
from connections_app.calls.ingest import ingest
from connections_app.calls.request_matching import bind_confirmed
from connections_app.calls.scripts import ScriptRequest
from connections_app.control.requests import JUST_SENT, OPEN, SiftRequest, close, record_outcome, send_once
from connections_app.models import (
    Action,
    CallRequest,
    Connection,
    Origin,
    Outcome,
    Script,
    Settled,
    Source,
    Verb,
)
from connections_app.models.requests import CLIENT
from connections_app.sift.outcomes import Placed, Rejected, Unknown
from connections_app.sift.payloads import Observation
from connections_app.web.callback_urls import status_address, without_tokens

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Order:
    """A call to place: to a phone number in E.164 or to a browser client, with or without a script."""

    phone_number: str = ""
    client_name: str = ""
    script: ScriptRequest | None = None

    @property
    def endpoint(self) -> dict[str, str]:
        """Return the called endpoint in the form that Sift's create request requires."""
        return {"phone_number": self.phone_number} if self.phone_number else {"client_name": self.client_name}

    @property
    def dialled(self) -> list[str]:
        """Return each number and client that the call or its script may dial, as Sift writes them."""
        callee = self.phone_number or f"{CLIENT}{self.client_name}"
        return list(dict.fromkeys([callee, *(self.script.dialled if self.script else ())]))


def place(order: Order, sift_request: SiftRequest) -> CallRequest:
    """Request the call from Sift, and wait for its answer for at most ten seconds.

    The request and its audit record are committed first; only the process that commits them sends it. A
    repeated request is returned unchanged, and nothing is sent. Raises `PermissionDenied`, `RequestConflict`,
    and `NotDialled` if a rule objects to an endpoint that would be dialled and the person did not confirm it.
    Source: "Placing a call" in docs/architecture.md.
    """
    check_may_place(sift_request.operator)
    if existing := sift_request.existing(CallRequest):
        return existing
    try:
        request = _save(order, sift_request)
    except IntegrityError as error:
        return sift_request.existing_or_raise(CallRequest, error)
    database.close()  # No database connection is held during the request to Sift.
    outcome = _send(order, request)
    _finish(request, outcome, sift_request)
    request.refresh_from_db()
    return request


def _save(order: Order, sift_request: SiftRequest) -> CallRequest:
    """Commit the request and its audit record together: no call is made without a record of its operator."""
    confirmed = sift_request.confirmed
    with transaction.atomic():
        dialling.lock(order.dialled)
        dialling.check(order.dialled, confirmed, besides=sift_request.request_id)
        made = scripts.make(order.script, Origin.PLACED, confirmed=confirmed.marked) if order.script else None
        request = CallRequest.objects.create(
            phone_number=order.phone_number,
            client_name=order.client_name,
            script_id=made.pk if made else None,
            **sift_request.fields(),
        )
        record(
            Verb.PLACE,
            Action.Phase.INTENT,
            sift_request.operator,
            address=sift_request.address,
            subject=str(sift_request.request_id),
            payload={
                **order.endpoint,
                "routine": without_tokens(made.commands) if made else [],
                **confirmed.payload(),
            },
        )
    return request


def _send(order: Order, request: CallRequest) -> Placed | Rejected | Unknown:
    address = status_address(request.token)
    return send_once(
        request,
        lambda client, late: client.place(order.endpoint, address, late),
        lambda answer: _finish(request, answer),
    )


def _finish(
    request: CallRequest, outcome: Placed | Rejected | Unknown, sift_request: SiftRequest | None = None
) -> None:
    """Save and record Sift's answer; an outcome that a callback set first is kept."""
    connection_id = ""
    with transaction.atomic():
        match outcome:
            case Placed(connection_id=str(named)):
                _placed(request, named, outcome.observation)
                connection_id, words = named, "Placed"
            case Placed():
                close(request, OPEN, Outcome.ACCEPTED)
                words = "Placed; Sift did not say which call it is"
            case Rejected(reason):
                close(request, OPEN, Outcome.REJECTED, reason)
                Script.objects.filter(call_request=request, settled_at=None).update(settled_at=timezone.now())
                words = f"Rejected: {reason}"
            case Unknown(reason):
                close(request, JUST_SENT, Outcome.UNKNOWN, reason)
                words = f"Unknown: {reason}"
        record_outcome(Verb.PLACE, request, words, sift_request, connection_id)


def _placed(request: CallRequest, connection_id: str, observation: Observation | None) -> None:
    ingest([observation or _accepted_call(connection_id, request)], Source.PLACING)
    connection = Connection.objects.only("id").get(connection_id=connection_id)
    if not bind_confirmed(request.pk, connection.pk, Settled.ANSWER):
        logger.warning("Sift's answer to request %s names a call that is another's", request.request_id)
        close(request, OPEN, Outcome.ACCEPTED)


def _accepted_call(connection_id: str, request: CallRequest) -> Observation:
    """Return what is known of a call if Sift's answer has only its id."""
    return Observation(
        connection_id,
        "connecting",
        direction=None,
        started_at=None,
        ended_at=None,
        from_endpoint=None,
        to_endpoint=request.endpoint,
        client_data=None,
        raw={"connection_id": connection_id},
    )
