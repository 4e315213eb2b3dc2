"""Log filters: hide tokens of callback addresses and wallboards, and limit repeats to one line a minute."""

import logging
import re
import threading
from time import monotonic

from django.db import InterfaceError, OperationalError
from kombu.exceptions import OperationalError as KombuError
from redis import RedisError

TOKENS = re.compile(r"(/hooks/sift/[a-z]+/|/wall/|[?&]wall=)[^/&\s\"']+", re.IGNORECASE)
REPEAT_SECONDS = 60.0  # in which repeats of a failure are only counted
MAX_FAILURES = 500  # different ones that are remembered
# A server that does not answer: the traceback of our code does not help.
AWAY = (OperationalError, InterfaceError, RedisError, KombuError, ConnectionError)


class WithoutTokens(logging.Filter):
    """Replace each token in the message by `…`."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        lower = message.lower()
        if "/hooks/sift/" in lower or "wall" in lower:
            record.msg, record.args = TOKENS.sub(r"\1…", message), None
        return True


class OnceAMinute(logging.Filter):
    """Pass a warning or error once a minute, with the number of repeats left out since.

    Repeats have the same logger, level and message; with an exception, the same type, task if there is one,
    and message before its arguments are filled in. A server that does not answer gets one line, without a
    traceback.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()
        self.seen: dict[tuple[object, ...], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        error = record.exc_info[1] if record.exc_info else None
        left_out = self._left_out(_kind_of(record, error))
        if left_out is None:
            return False
        more = f" ({left_out} more like it in the last minute)" if left_out else ""
        if isinstance(error, AWAY):
            record.msg = f"{_first_line(record.getMessage())}: {_first_line(str(error))}{more}"
            record.args, record.exc_info, record.exc_text = None, None, None
        elif more:
            record.msg, record.args = f"{record.getMessage()}{more}", None
        return True

    def _left_out(self, kind: tuple[object, ...]) -> int | None:
        """Return how many of this kind were left out before this one; None to leave this one out too."""
        now = monotonic()
        with self.lock:
            since, count = self.seen.get(kind, (None, 0))
            if since is not None and now - since < REPEAT_SECONDS:
                self.seen[kind] = since, count + 1
                return None
            if len(self.seen) >= MAX_FAILURES:
                self.seen.clear()
            self.seen[kind] = now, 0
            return count


def _kind_of(record: logging.LogRecord, error: BaseException | None) -> tuple[object, ...]:
    task = record.args.get("name") if isinstance(record.args, dict) else None
    message = str(record.msg) if error else record.getMessage()
    return record.name, record.levelno, message, task, type(error)


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
