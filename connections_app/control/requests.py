"""Requests to Sift: each is saved once, before it is sent, and identified by its id."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from django.db import IntegrityError, models
from django.db import connection as database
from django.utils import timezone

from connections_app.audit.log import record
from connections_app.calls.dialling import NOTHING_CONFIRMED, Confirmed
from connections_app.models import Action, Operator, Outcome, Sending, Verb
from connections_app.sift.client import Late, SiftClient
from connections_app.sift.outcomes import Rejected, Unknown

DEADLINE = timedelta(seconds=30)  # well over the ten seconds for an answer: past it, no process is sending

# The outcomes that an answer may replace: none yet, or none known.
JUST_SENT = (Outcome.SENDING,)
OPEN = (Outcome.SENDING, Outcome.UNKNOWN)

Kind = TypeVar("Kind", bound=Sending)
Done = TypeVar("Done")
Answer = Rejected | Unknown


class RequestConflict(Exception):
    """Raised if a request's id belongs to another request: with other contents, or by another person."""

    def __init__(self, request_id: UUID) -> None:
        super().__init__(
            f"Request {request_id} was already made, with other contents. Nothing was sent for this one."
        )


@dataclass(frozen=True, slots=True)
class SiftRequest:
    """A person's request: its id, its fields as submitted (`contents`), and the IP `address`.

    `confirmed` is not part of the contents: a confirmation does not make it a different request.
    """

    operator: Operator
    request_id: UUID
    contents: Mapping[str, str]
    address: str | None = None
    confirmed: Confirmed = NOTHING_CONFIRMED

    @property
    def digest(self) -> str:
        """Return the hash by which a repeated request differs from another one with its id."""
        contents = json.dumps([self.operator.pk, sorted(self.contents.items())])
        return hashlib.sha256(contents.encode(errors="surrogatepass")).hexdigest()

    def existing(self, kind: type[Kind]) -> Kind | None:
        """Return the saved request that this one repeats. Raises `RequestConflict` if its id is another's."""
        manager: models.Manager[Kind] = kind._default_manager
        found = manager.filter(request_id=self.request_id).first()
        if found is not None and found.digest != self.digest:
            raise RequestConflict(self.request_id)
        return found

    def existing_or_raise(self, kind: type[Kind], error: IntegrityError) -> Kind:
        """Return this request as another process saved it first. Raises `error` if none did."""
        found = self.existing(kind)
        if found is None:
            raise error
        return found

    def fields(self) -> dict[str, object]:
        """Return the model fields of a new row for this request."""
        return {
            "request_id": self.request_id,
            "digest": self.digest,
            "contents": dict(self.contents),
            "operator": self.operator,
            "operator_name": self.operator.get_username(),
            "deadline": timezone.now() + DEADLINE,
        }


def send_once(
    sending: Sending, send: Callable[[SiftClient, Late[Done]], Done | Answer], finish: Late[Done]
) -> Done | Answer:
    """Send the only POST of a saved request, without using the database.

    `finish` receives, in another thread, an answer that comes after the time limit.
    """
    if not is_in_time(sending.asked_at):
        return Rejected("The dashboard was held up before it could ask Sift. Nothing was sent.")

    def late(answer: Done | Answer) -> None:
        try:
            finish(answer)
        finally:
            database.close()

    client = SiftClient.configured(is_urgent=True)
    try:
        return send(client, late)
    finally:
        client.close()


def close(sending: Sending, before: Sequence[Outcome], outcome: Outcome, reason: str = "") -> bool:
    """Set the outcome of a request. Returns True if its outcome was still one of `before`."""
    manager: models.Manager[Sending] = type(sending)._default_manager
    closed = manager.filter(pk=sending.pk, outcome__in=before).update(
        outcome=outcome, reason=reason, answered_at=timezone.now()
    )
    return closed == 1


def record_outcome(
    verb: Verb, sending: Sending, words: str, sift_request: SiftRequest | None = None, connection_id: str = ""
) -> None:
    """Add the outcome of a request to the audit log, as found by the dashboard if `sift_request` is None."""
    record(
        verb,
        Action.Phase.OUTCOME,
        sift_request.operator if sift_request else None,
        address=sift_request.address if sift_request else None,
        connection_id=connection_id,
        subject=str(sending.request_id),
        outcome=words,
    )


def is_in_time(asked_at: datetime) -> bool:
    """Return True if the request may still be sent; a process that was suspended for 10 s may not send it."""
    return timezone.now() < asked_at + DEADLINE / 3
