"""Hash passwords two at a time in a process, and never while holding a database connection."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from django.contrib.auth.hashers import Argon2PasswordHasher, PBKDF2PasswordHasher

from connections_app.engines import database
from connections_app.web.concurrency import Busy

MAX_CONCURRENT = 2
WAIT_SECONDS = 3.0
BUSY_MESSAGE = "Many people are signing in just now. Try again in a few seconds."

_turns = BoundedSemaphore(MAX_CONCURRENT)


@contextmanager
def _turn() -> Iterator[None]:
    """Return the database connection to its pool and wait for a turn. Raises `Busy` after `WAIT_SECONDS`."""
    database.release()
    if not _turns.acquire(timeout=WAIT_SECONDS):
        raise Busy(BUSY_MESSAGE)
    try:
        yield
    finally:
        _turns.release()


class Argon2Hasher(Argon2PasswordHasher):
    """Argon2id on one core, a tenth of a second; OWASP's minimum is 19 MiB and two iterations."""

    time_cost = 2
    memory_cost = 64 * 1024  # KiB
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with _turn():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with _turn():
            return super().verify(password, encoded)


class PBKDF2Hasher(PBKDF2PasswordHasher):
    """For passwords set before Argon2id; each is hashed again by Argon2id when its person next signs in."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        with _turn():
            return super().encode(password, salt, iterations)
