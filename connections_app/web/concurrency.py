"""Limit the slow operations that one person runs at the same time."""

from collections import Counter
from threading import Condition

from connections_app.engines import database

MAX_CONCURRENT_PER_PERSON = 3  # slow operations of one person in one process
WAIT_SECONDS = 3.0
TOO_MANY = (
    f"You have {MAX_CONCURRENT_PER_PERSON} slow operations running, such as exports, imports and searches."
    " Wait until one of them has ended, and try again."
)


class Busy(Exception):
    """Raised if work cannot begin now; `str()` states why, and what to do. It is answered with status 503."""


class Slot:
    """One person's right to one slow operation, until `release` or until nothing refers to it."""

    _taken: Counter[int] = Counter()
    _changed = Condition()

    def __init__(self, person: int) -> None:
        """Take a slot; wait up to 3 s for it, without a database connection. Raises `Busy`."""
        self.person, self.is_held = person, False
        with self._changed:
            if not self._is_free():
                database.release()
                self._changed.wait_for(self._is_free, WAIT_SECONDS)
            if not self._is_free():
                raise Busy(TOO_MANY)
            self._taken[person] += 1
            self.is_held = True

    def release(self) -> None:
        """Give the slot back; has no effect the second time."""
        with self._changed:
            if self.is_held:
                self.is_held = False
                self._taken[self.person] -= 1
                self._changed.notify_all()

    def __enter__(self) -> "Slot":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def __del__(self) -> None:
        self.release()

    def _is_free(self) -> bool:
        return self._taken[self.person] < MAX_CONCURRENT_PER_PERSON
