"""The connection to the database: `server` is its circuit breaker.

psycopg waits for the server in Python, so a statement to a server that hangs can be abandoned by closing the
connection. The server rolls back a transaction whose COMMIT was not sent, as soon as it continues.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import psycopg
from django.db import OperationalError, connection
from psycopg.errors import TooManyConnections

from connections_app.engines.breaker import Breaker

PROBE_SECONDS = 2  # the minimum connection timeout of psycopg
SILENT_SECONDS = 1.0  # without an answer to a statement, until the server is probed


class CommitUnknown(OperationalError):
    """The connection was lost after COMMIT was sent: the transaction may be committed, or rolled back."""


def is_commit_unknown(problem: BaseException) -> bool:
    """Return True if `problem` was caused by a COMMIT without an answer. Django's `atomic` then connects
    again, and raises the failure of that instead."""
    seen: BaseException | None = problem
    while seen is not None and not isinstance(seen, CommitUnknown):
        seen = seen.__context__
    return seen is not None


class _Settings:
    """`gives_up`: statements end while the server does not answer. Workers wait instead."""

    gives_up = False


def give_up_when_away() -> None:
    """Refuse work and end waiting statements in this process while the server does not answer.

    For a process that serves people. Workers wait instead.
    """
    _Settings.gives_up = True


def is_refused() -> bool:
    """Return True if the server does not answer and this process must not wait for it."""
    return _Settings.gives_up and server.is_open


def release() -> None:
    """Return the connection to the pool before a wait that does not need it; not within a transaction."""
    if not connection.in_atomic_block:
        connection.close()


def parameters() -> dict[str, Any]:
    """Return psycopg's connection parameters, without those that only Django uses."""
    given: Mapping[str, Any] = connection.get_connection_params()
    return {name: value for name, value in given.items() if name not in ("cursor_factory", "context")}


def _probe() -> None:
    given = parameters() | {"connect_timeout": PROBE_SECONDS, "application_name": "sift_dashboard probe"}
    with suppress(TooManyConnections):  # the server answers, and connections that are open work
        psycopg.connect(**given).close()


server = Breaker("PostgreSQL", _probe, (psycopg.Error,))
