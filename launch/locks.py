"""File locks that vanish with the process that holds them."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock at `path` alone; waits for whoever has it."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def take(file: IO[str], *, shared: bool = False) -> bool:
    """Take the lock on an open file without waiting; whether that worked."""
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def share(file: IO[str]) -> None:
    """Hold the lock on an open file together with others; waits for one who has it alone."""
    fcntl.flock(file, fcntl.LOCK_SH)


def release(file: IO[str]) -> None:
    fcntl.flock(file, fcntl.LOCK_UN)
