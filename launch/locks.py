"""File locks that end with the process that holds them."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the exclusive lock at `path`; waits until it is free."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def take(file: IO[str], *, shared: bool = False) -> bool:
    """Take the lock on an open file without waiting. Returns True if that worked."""
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def share(file: IO[str]) -> None:
    """Take the shared lock on an open file; waits for a process that has it exclusively."""
    fcntl.flock(file, fcntl.LOCK_SH)


def release(file: IO[str]) -> None:
    """Release the lock on an open file."""
    fcntl.flock(file, fcntl.LOCK_UN)
