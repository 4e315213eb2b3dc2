"""What the three kinds of callbacks share: reading the body, and keeping both halves of each."""

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from time import perf_counter

from django.db import connection as database

from connections_app.models import Callback
from connections_app.sift.payloads import JSON, Observation, Unusable, cleaned, decode, parse_connection
from connections_app.sift.routine import JSONObject

LARGEST_BODY = 256 * 1024
# A body that PostgreSQL would have to unfold is refused at such a depth.
DEEPEST = 100

KEEP = """
    INSERT INTO connections_app_callback AS known
        (digest, kind, connection_id, call_request_id, step_id, body, status, answer, first_at, last_at,
         times, milliseconds)
    VALUES (%(digest)s, %(kind)s,
            (SELECT id FROM connections_app_connection WHERE connection_id = %(connection_id)s),
            %(call_request)s, %(step)s, %(body)s::jsonb, %(status)s, %(answer)s::jsonb,
            clock_timestamp(), clock_timestamp(), 1, %(milliseconds)s)
    ON CONFLICT (digest) DO UPDATE SET
        times = known.times + 1, last_at = excluded.last_at, status = excluded.status,
        answer = excluded.answer, connection_id = coalesce(known.connection_id, excluded.connection_id)
"""


class WrongToken(Exception):
    """Nothing has this token."""


class Overtaken(Exception):
    """Another process did the same at the same moment; whoever tries again sees what it did."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a callback is answered: an HTTP status, and a JSON object."""

    body: JSONObject = field(default_factory=dict)
    status: int = 200

    @classmethod
    def with_routine(cls, commands: list[JSONObject] | None) -> "Answered":
        return cls({"routine": commands} if commands else {})

    @classmethod
    def refusing(cls, status: int, reason: str) -> "Answered":
        return cls({"error": reason}, status)


class Refused(Exception):
    """The callback changes nothing; it is kept with `answered`, which says why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.answered = Answered.refusing(status, reason)


@dataclass(frozen=True)
class Received:
    """One callback as it came: the token in its address, its body, and when it began to be answered."""

    token: str = field(repr=False)
    raw: bytes
    began: float = field(default_factory=perf_counter)

    @cached_property
    def body(self) -> JSONObject:
        """The decoded body. Raises `Refused` where it is no JSON object."""
        try:
            body = decode(self.raw)
        except ValueError:
            raise Refused(400, "The body is not JSON.") from None
        if not isinstance(body, dict):
            raise Refused(400, "The body is not a JSON object.")
        if _depth(body) > DEEPEST:
            raise Refused(400, "The body is nested too deeply.")
        return body

    @property
    def connection(self) -> Observation:
        """The connection that it tells of: in `connection`, or the body itself.

        Raises `Refused` where it has no usable id or status.
        """
        observed = parse_connection(self.body.get("connection", self.body))
        if isinstance(observed, Unusable):
            raise Refused(400, observed.reason)
        return observed

    @property
    def kept(self) -> JSON:
        """The body as it is kept: what cannot be understood as its text."""
        try:
            return self.body
        except Refused:
            return cleaned(self.raw.decode(errors="replace"))

    @property
    def digest(self) -> str:
        """What makes it this callback and no other: its address and its body."""
        return hashlib.sha256(self.token.encode() + b"\n" + self.raw).hexdigest()

    def keep(
        self,
        kind: Callback.Kind,
        answered: Answered,
        *,
        connection_id: str | None = None,
        call_request: int | None = None,
        step: int | None = None,
    ) -> None:
        """Keep it with its answer; one that came before is counted. One statement."""
        with database.cursor() as cursor:
            cursor.execute(
                KEEP,
                {
                    "digest": self.digest,
                    "kind": kind.value,
                    "connection_id": connection_id,
                    "call_request": call_request,
                    "step": step,
                    "body": json.dumps(self.kept),
                    "status": answered.status,
                    "answer": json.dumps(answered.body),
                    "milliseconds": (perf_counter() - self.began) * 1000,
                },
            )


def _depth(value: JSON) -> int:
    """How deeply lists and objects are nested, without recursion."""
    deepest, open_ = 0, [(value, 1)]
    while open_:
        item, depth = open_.pop()
        deepest = max(deepest, depth)
        inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        open_.extend((one, depth + 1) for one in inner)
    return deepest
