"""What every request to Sift shares: it is written down once, before Sift is asked, and known by its id."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from django.db import IntegrityError, models
from django.utils import timezone

from connections_app.models import Operator, Sending

# Well over the ten seconds that an answer is waited for: past it, nobody is sending any more.
DEADLINE = timedelta(seconds=30)

Kind = TypeVar("Kind", bound=Sending)


class OtherRequest(Exception):
    """The request's id belongs to another request: one with other contents, or by another person."""

    def __init__(self, request_id: UUID) -> None:
        super().__init__(
            f"Request {request_id} was already made, with other contents. Nothing was sent for this one."
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for what, under which id, and from where. `contents` are the fields as they were sent in."""

    operator: Operator
    request_id: UUID
    contents: Mapping[str, str]
    address: str | None = None

    @property
    def digest(self) -> str:
        """What tells a repeated request from another with its id."""
        told = json.dumps([self.operator.pk, sorted(self.contents.items())])
        return hashlib.sha256(told.encode(errors="surrogatepass")).hexdigest()

    def before(self, kind: type[Kind]) -> Kind | None:
        """The request that this one repeats. Raises `OtherRequest` for an id that is another's."""
        manager: models.Manager[Kind] = kind._default_manager
        found = manager.filter(request_id=self.request_id).first()
        if found is not None and found.digest != self.digest:
            raise OtherRequest(self.request_id)
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


def is_in_time(asked_at: datetime) -> bool:
    """Whether it may still be sent: a process that slept after it wrote the request may not."""
    return timezone.now() < asked_at + DEADLINE / 3
