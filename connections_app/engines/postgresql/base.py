"""Django's PostgreSQL backend with time limits, a circuit breaker and reserved connections."""

from collections.abc import Generator
from threading import Lock
from time import monotonic
from typing import Any, ClassVar, TypeVar

import psycopg
from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql import base
from django.db.utils import InterfaceError, OperationalError
from psycopg_pool import ConnectionPool, PoolTimeout

from connections_app.engines import limits
from connections_app.engines.database import SILENT_SECONDS, CommitUnknown, is_refused, server

Found = TypeVar("Found")
Waiting = Generator[Any, Any, Found]

RESERVED_CONNECTIONS = 10  # eight callbacks at once, and health checks
RESERVED_WAIT_SECONDS = 0.6  # until a callback without a free connection is refused


class NotAnswering(psycopg.OperationalError):
    """The server did not answer in time; a transaction that was not committed never will be."""


class Connection(psycopg.Connection[Any]):
    """A connection whose waits end when the time limit is over or the server does not answer."""

    def wait(self, gen: Waiting[Found], *args: Any, **kwargs: Any) -> Found:
        try:
            return super().wait(_within_limits(gen), *args, **kwargs)
        except NotAnswering:
            self.close()
            raise


class Pool(ConnectionPool[Connection]):
    """Gives connections within the time limit of the work, and none while the server does not answer."""

    def getconn(self, timeout: float | None = None) -> Connection:
        if is_refused():
            raise NotAnswering("The database server does not answer.")
        try:
            return super().getconn(limits.seconds_left(timeout or self.timeout))
        except PoolTimeout:
            server.suspect()
            raise


class DatabaseWrapper(base.DatabaseWrapper):
    """Two pools for one database, so that pages can never take what callbacks need."""

    _pools: ClassVar[dict[str, Pool]] = {}
    _pools_lock: ClassVar[Lock] = Lock()
    _configure_connection: Any  # of Django's own

    @property
    def pool(self) -> Pool | None:
        options = self.settings_dict["OPTIONS"].get("pool")
        if self.alias == NO_DB_ALIAS or not options:
            return None
        if not limits.is_reserved():
            return self._pool_named(self.alias, options)
        reserved = {"max_size": RESERVED_CONNECTIONS, "timeout": RESERVED_WAIT_SECONDS}
        return self._pool_named(f"{self.alias} reserved", options | reserved)

    def close_pool(self) -> None:
        for name in (self.alias, f"{self.alias} reserved"):
            if pool := self._pools.pop(name, None):
                pool.close()

    def _pool_named(self, name: str, options: dict[str, Any]) -> Pool:
        with self._pools_lock:
            if name not in self._pools:
                self._pools[name] = Pool(
                    kwargs=self.get_connection_params() | {"autocommit": True},
                    connection_class=Connection,
                    open=False,
                    configure=self._configure_connection,
                    check=ConnectionPool.check_connection,
                    **options,
                )
            return self._pools[name]

    def _commit(self) -> None:
        """Commit. Raises `OperationalError`, before anything is sent, if the time limit is over, and
        `CommitUnknown` if the connection was lost after COMMIT was sent."""
        if limits.is_over():
            raise OperationalError("The time of this work is up; it was rolled back.")
        try:
            super()._commit()  # type: ignore[misc]  # django-stubs do not know it
        except (OperationalError, InterfaceError) as problem:
            if self.connection is None or self.connection.closed:
                raise CommitUnknown(*problem.args) from problem
            raise


def _within_limits(gen: Waiting[Found]) -> Waiting[Found]:
    """Run `gen`; raise `NotAnswering` if it waits too long. psycopg wakes it every 0.1 s."""
    began, ready = monotonic(), None
    while True:
        try:
            state = gen.send(ready)
        except StopIteration as done:
            found: Found = done.value
            return found
        ready = yield state
        if not ready:
            _check_wait(began)


def _check_wait(began: float) -> None:
    is_over = limits.is_over()
    if is_over or monotonic() - began > SILENT_SECONDS:
        server.suspect()
    if is_over or is_refused():
        raise NotAnswering("The database server did not answer in time.")
