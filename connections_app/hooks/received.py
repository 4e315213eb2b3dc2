"""What the three kinds of callbacks share: reading the body, and storing the callback with its answer."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from time import perf_counter

from django.db import connection as database

from connections_app.calls.dialling import NotDialled
from connections_app.models import Callback
from connections_app.sift.payloads import JSON, Observation, Unusable, cleaned, decode, parse_connection
from connections_app.sift.placeholders import JSONObject

MAX_BODY_BYTES = 256 * 1024
MAX_DEPTH = 100  # of nesting, since PostgreSQL parses the body too
UNAVAILABLE = 503

# An answer that was withheld because of what it dials is in the audit log too.
KEEP = """
    WITH recorded AS (
        INSERT INTO connections_app_action
            (at, verb, phase, actor, connection_id, subject, payload, outcome)
        SELECT clock_timestamp(), 'not_dialled', 'outcome', '', coalesce(%(connection_id)s, ''), '', '{}',
            %(note)s
        WHERE %(note)s <> ''
    )
    INSERT INTO connections_app_callback AS known
        (digest, kind, connection_id, call_request_id, step_id, body, status, answer, note, first_at, last_at,
         times, milliseconds)
    VALUES (%(digest)s, %(kind)s,
            (SELECT id FROM connections_app_connection WHERE connection_id = %(connection_id)s),
            %(call_request)s, %(step)s, %(body)s::jsonb, %(status)s, %(answer)s::jsonb, %(note)s,
            clock_timestamp(), clock_timestamp(), 1, %(milliseconds)s)
    ON CONFLICT (digest) DO UPDATE SET
        times = known.times + %(times)s, last_at = excluded.last_at, status = excluded.status,
        answer = excluded.answer, note = coalesce(nullif(excluded.note, ''), known.note),
        connection_id = coalesce(known.connection_id, excluded.connection_id)
"""


class WrongToken(Exception):
    """No request, step or account has this token."""


class Overtaken(Exception):
    """Another process did the same at the same moment; a retry sees its result."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to a callback: an HTTP status, and a JSON object.

    `note` is the reason why a routine was withheld because of what it dials.
    """

    body: JSONObject = field(default_factory=dict)
    status: int = 200
    note: str = ""

    @classmethod
    def with_routine(cls, commands: list[JSONObject] | None) -> "Answered":
        """Return an answer with `commands`, or an empty one."""
        return cls({"routine": commands} if commands else {})

    @classmethod
    def not_dialling(cls, reason: NotDialled) -> "Answered":
        """Return an empty answer that notes why nothing is dialled."""
        return cls(note=f"The routine was not given to Sift: {reason}")

    @classmethod
    def refusing(cls, status: int, reason: str) -> "Answered":
        """Return an error answer."""
        return cls({"error": reason}, status)

    @property
    def headers(self) -> dict[str, str]:
        """Return the HTTP headers of the answer."""
        return {"Retry-After": "1"} if self.status == UNAVAILABLE else {}


@dataclass(slots=True)
class Claimed:
    """The script that an answer contains, as it was claimed: its key, when it was settled, and whether it is
    sent to Sift for the first time."""

    script: int | None = None
    settled_at: datetime | None = None
    is_first: bool = False


@dataclass(slots=True)
class Kept:
    """The values that the row of a callback was stored with."""

    kind: Callback.Kind
    connection_id: str | None
    call_request: int | None
    step: int | None


class Refused(Exception):
    """The callback changes nothing; it is stored with `answered`, which contains the reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.answered = Answered.refusing(status, reason)


@dataclass(frozen=True)
class Received:
    """One callback as received: the token in its address, its body, and when its handling began (seconds)."""

    token: str = field(repr=False)
    raw: bytes
    began: float = field(default_factory=perf_counter)
    claimed: Claimed = field(default_factory=Claimed)
    rows: list[Kept] = field(default_factory=list)

    @cached_property
    def body(self) -> JSONObject:
        """Return the decoded body. Raises `Refused` if it is not a JSON object."""
        try:
            body = decode(self.raw)
        except ValueError:
            raise Refused(400, "The body is not JSON.") from None
        if not isinstance(body, dict):
            raise Refused(400, "The body is not a JSON object.")
        if _depth(body) > MAX_DEPTH:
            raise Refused(400, "The body is nested too deeply.")
        return body

    @property
    def connection(self) -> Observation:
        """Return the connection in the body: in `connection`, or the body itself.

        Raises `Refused` if it has no usable id or status.
        """
        observed = parse_connection(self.body.get("connection", self.body))
        if isinstance(observed, Unusable):
            raise Refused(400, observed.reason)
        return observed

    @property
    def kept(self) -> JSON:
        """Return the body to store; one that cannot be parsed as text."""
        try:
            return self.body
        except Refused:
            return cleaned(self.raw.decode(errors="replace"))

    @property
    def digest(self) -> str:
        """Return the key of this callback, a hash of its token and its body."""
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
        """Store it with its answer; a repeated one is counted. One statement."""
        self.rows[:] = [Kept(kind, connection_id, call_request, step)]
        self._write(answered, times=1)

    def keep_other_answer(self, answered: Answered) -> None:
        """Replace the stored answer by the one that was sent. One statement, which waits for a transaction
        that may still store the first."""
        self._write(answered, times=0)

    def _write(self, answered: Answered, times: int) -> None:
        (kept,) = self.rows
        with database.cursor() as cursor:
            cursor.execute(
                KEEP,
                {
                    "digest": self.digest,
                    "kind": kept.kind.value,
                    "connection_id": kept.connection_id,
                    "call_request": kept.call_request,
                    "step": kept.step,
                    "body": json.dumps(self.kept),
                    "status": answered.status,
                    "answer": json.dumps(answered.body),
                    "note": answered.note,
                    "times": times,
                    "milliseconds": (perf_counter() - self.began) * 1000,
                },
            )


def _depth(value: JSON) -> int:
    """Return how deeply lists and objects are nested, computed without recursion."""
    deepest, open_ = 0, [(value, 1)]
    while open_:
        item, depth = open_.pop()
        deepest = max(deepest, depth)
        inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        open_.extend((one, depth + 1) for one in inner)
    return deepest
