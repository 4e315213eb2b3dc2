"""Limits of work: how long it may wait for the database, and whether it may use reserved connections."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic


class TimeLimit:
    """The time after which work ends. `end_now` ends it when nobody waits for it any longer."""

    def __init__(self, seconds: float = float("inf")) -> None:
        self.start(seconds)

    def start(self, seconds: float) -> None:
        """Start the time now."""
        self.ends_at = monotonic() + seconds

    @property
    def seconds_left(self) -> float:
        """Return the seconds until the limit; negative when it is over."""
        return self.ends_at - monotonic()

    @property
    def is_over(self) -> bool:
        return self.seconds_left <= 0

    def end_now(self) -> None:
        self.ends_at = float("-inf")


_limit: ContextVar[TimeLimit | None] = ContextVar("limit", default=None)
_is_reserved: ContextVar[bool] = ContextVar("is_reserved", default=False)


@contextmanager
def limited(limit: TimeLimit, *, reserved: bool = False) -> Iterator[None]:
    """Limit how long the body may wait for the database. Once `limit` is over, each wait, and each COMMIT
    that was not sent yet, raises `OperationalError`, and the transaction is rolled back.

    `reserved` is for callbacks and health checks: they use connections that pages cannot take.
    """
    limit_before, reserved_before = _limit.set(limit), _is_reserved.set(reserved)
    try:
        yield
    finally:
        _limit.reset(limit_before)
        _is_reserved.reset(reserved_before)


def is_over() -> bool:
    """Return True if the current work has a time limit that is over."""
    limit = _limit.get()
    return limit is not None and limit.is_over


def seconds_left(most: float) -> float:
    """Return how many seconds the current work may still wait, at most `most`."""
    limit = _limit.get()
    return most if limit is None else min(most, limit.seconds_left)


def is_reserved() -> bool:
    """Return True if the current work may use the reserved connections."""
    return _is_reserved.get()
