"""The database as this process waits for it: `server` is its circuit breaker.

psycopg waits for the server in Python, so a statement to a server that hangs can be given up: the connection
is closed. A transaction whose COMMIT was not sent is then rolled back by the server, as soon as that goes on.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import psycopg
from django.db import OperationalError, connection
from psycopg.errors import TooManyConnections

from connections_app.engines.breaker import Breaker

PROBE_SECONDS = 2  # the least that psycopg takes as a time limit for connecting
# A statement that had no answer for so long makes us ask whether the server answers at all.
SILENT_SECONDS = 1.0


class CommitUnknown(OperationalError):
    """The connection was lost after COMMIT was sent: the transaction may be committed, or rolled back."""


def is_commit_unknown(problem: BaseException) -> bool:
    """Return True if `problem` was caused by a COMMIT of which no answer came. Django's `atomic` connects
    again after it, and what that fails with comes in its place."""
    seen: BaseException | None = problem
    while seen is not None and not isinstance(seen, CommitUnknown):
        seen = seen.__context__
    return seen is not None


class _Settings:
    """`gives_up` makes statements end while the server does not answer; workers wait, and go on."""

    gives_up = False


def give_up_when_away() -> None:
    """Have this process refuse work, and end waiting statements, while the server does not answer: for a
    process that serves people, who wait for an answer. Workers wait."""
    _Settings.gives_up = True


def is_refused() -> bool:
    """Return True if the server does not answer and this process is not to wait for it."""
    return _Settings.gives_up and server.is_open


def release() -> None:
    """Give the connection back to the pool before a wait that does not need it; not within a transaction."""
    if not connection.in_atomic_block:
        connection.close()


def parameters() -> dict[str, Any]:
    """Return what psycopg is given for a connection beside Django's own."""
    given: Mapping[str, Any] = connection.get_connection_params()
    return {name: value for name, value in given.items() if name not in ("cursor_factory", "context")}


def _probe() -> None:
    given = parameters() | {"connect_timeout": PROBE_SECONDS, "application_name": "sift_dashboard probe"}
    with suppress(TooManyConnections):  # the server answers, and connections that are open work
        psycopg.connect(**given).close()


server = Breaker("PostgreSQL", _probe, (psycopg.Error,))
