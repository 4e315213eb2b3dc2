"""What every request to Sift shares: it is written down once, before Sift is asked, and known by its id."""

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

# Well over the ten seconds that an answer is waited for: past it, nobody is sending any more.
DEADLINE = timedelta(seconds=30)

# What an answer finds a request in: nobody has told its outcome, or nobody knows it.
JUST_SENT = (Outcome.SENDING,)
OPEN = (Outcome.SENDING, Outcome.UNKNOWN)

Kind = TypeVar("Kind", bound=Sending)
Done = TypeVar("Done")
Answer = Rejected | Unknown


class RequestConflict(Exception):
    """The request's id belongs to another request: one with other contents, or by another person."""

    def __init__(self, request_id: UUID) -> None:
        super().__init__(
            f"Request {request_id} was already made, with other contents. Nothing was sent for this one."
        )


@dataclass(frozen=True, slots=True)
class SiftRequest:
    """Who asks for what, under which id, and from where. `contents` are the fields as they were sent in.

    What the person `confirmed` is no part of the contents, so that it does not make it another request.
    """

    operator: Operator
    request_id: UUID
    contents: Mapping[str, str]
    address: str | None = None
    confirmed: Confirmed = NOTHING_CONFIRMED

    @property
    def digest(self) -> str:
        """What tells a repeated request from another with its id."""
        contents = json.dumps([self.operator.pk, sorted(self.contents.items())])
        return hashlib.sha256(contents.encode(errors="surrogatepass")).hexdigest()

    def before(self, kind: type[Kind]) -> Kind | None:
        """The request that this one repeats. Raises `RequestConflict` for an id that is another's."""
        manager: models.Manager[Kind] = kind._default_manager
        found = manager.filter(request_id=self.request_id).first()
        if found is not None and found.digest != self.digest:
            raise RequestConflict(self.request_id)
        return found

    def faster(self, kind: type[Kind], error: IntegrityError) -> Kind:
        """The same request, which another process was faster to write; any other `error` is raised on."""
        found = self.before(kind)
        if found is None:
            raise error
        return found

    def fields(self) -> dict[str, object]:
        """What a new row holds of this."""
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
    """The one POST of a request that is written down. The database is not used; `finish` is told, in another
    thread, what Sift says when it is no longer waited for."""
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
    """Set the outcome of a request that is still in one of the states `before`; whether it was."""
    manager: models.Manager[Sending] = type(sending)._default_manager
    closed = manager.filter(pk=sending.pk, outcome__in=before).update(
        outcome=outcome, reason=reason, answered_at=timezone.now()
    )
    return closed == 1


def record_outcome(
    verb: Verb, sending: Sending, words: str, asked: SiftRequest | None = None, connection_id: str = ""
) -> None:
    """Add to the record what became of a request; without `asked` the dashboard itself found that out."""
    record(
        verb,
        Action.Phase.OUTCOME,
        asked.operator if asked else None,
        address=asked.address if asked else None,
        connection_id=connection_id,
        subject=str(sending.request_id),
        outcome=words,
    )


def is_in_time(asked_at: datetime) -> bool:
    """Whether it may still be sent: a process that slept after it wrote the request may not."""
    return timezone.now() < asked_at + DEADLINE / 3
