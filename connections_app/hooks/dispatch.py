"""Answer one callback of any kind, also if the database fails."""

import logging
from collections.abc import Callable

from django.db import IntegrityError, InterfaceError, OperationalError
from psycopg.errors import DeadlockDetected
from psycopg_pool import PoolTimeout

from connections_app.engines.database import is_commit_unknown, server
from connections_app.hooks import undelivered
from connections_app.hooks.done import answer_done
from connections_app.hooks.incoming import answer_incoming
from connections_app.hooks.received import (
    MAX_BODY_BYTES,
    UNAVAILABLE,
    Answered,
    Overtaken,
    Received,
    WrongToken,
)
from connections_app.hooks.status import answer_status

logger = logging.getLogger(__name__)

Answer = Callable[[Received], Answered]

ANSWERS: dict[str, Answer] = {"status": answer_status, "incoming": answer_incoming, "done": answer_done}
TRIES = 4
TRY_LATER = Answered.refusing(UNAVAILABLE, "Try again later.")


def answer_callback(kind: str, received: Received) -> Answered:
    """Return the answer to a callback at `/hooks/sift/<kind>/<token>/`."""
    if len(received.raw) > MAX_BODY_BYTES:
        return Answered.refusing(413, "The body is too large.")
    if server.is_open:
        return TRY_LATER
    try:
        return _answer_with_retries(ANSWERS[kind], received)
    except WrongToken:
        return Answered.refusing(404, "Not found.")
    except (OperationalError, InterfaceError, PoolTimeout, Overtaken) as problem:
        logger.error("A callback was not taken: the database does not answer (%s)", type(problem).__name__)
        server.suspect()
        if is_commit_unknown(problem):
            undelivered.note(received)
        return TRY_LATER


def _answer_with_retries(answer: Answer, received: Received) -> Answered:
    """Return the answer; try again after a conflict with another transaction."""
    for _ in range(TRIES - 1):
        received.claimed.script = None
        try:
            return answer(received)
        except (IntegrityError, Overtaken):
            continue
        except OperationalError as problem:
            if not isinstance(problem.__cause__, DeadlockDetected):
                raise
    received.claimed.script = None
    return answer(received)
