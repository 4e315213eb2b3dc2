"""What a log holds: no token of a callback address or wallboard, and one line a minute of what repeats."""

import logging
import re
import threading
from time import monotonic

from django.db import InterfaceError, OperationalError
from kombu.exceptions import OperationalError as KombuError
from redis import RedisError

TOKENS = re.compile(r"(/hooks/sift/[a-z]+/|/wall/|[?&]wall=)[^/&\s\"']+", re.IGNORECASE)
REPEAT_SECONDS = 60.0  # how long the same failure is only counted
MOST_FAILURES = 500  # different ones that are remembered
# An engine that does not answer: where in our code that was noticed tells nobody anything.
AWAY = (OperationalError, InterfaceError, RedisError, KombuError, ConnectionError)


class WithoutTokens(logging.Filter):
    """Write `…` in the place of each token in the message."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        lower = message.lower()
        if "/hooks/sift/" in lower or "wall" in lower:
            record.msg, record.args = TOKENS.sub(r"\1…", message), None
        return True


class OnceAMinute(logging.Filter):
    """Let a warning or error pass once a minute, with how often it was left out since.

    The same failure has the same logger, level and message; with an exception, its type, the task
    if there is one, and the message before it is filled in. An engine that does not answer is one line,
    without a traceback.
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
        """Return how many of this kind were left out before this one; None if it is to be left out too."""
        now = monotonic()
        with self.lock:
            since, count = self.seen.get(kind, (None, 0))
            if since is not None and now - since < REPEAT_SECONDS:
                self.seen[kind] = since, count + 1
                return None
            if len(self.seen) >= MOST_FAILURES:
                self.seen.clear()
            self.seen[kind] = now, 0
            return count


def _kind_of(record: logging.LogRecord, error: BaseException | None) -> tuple[object, ...]:
    task = record.args.get("name") if isinstance(record.args, dict) else None
    message = str(record.msg) if error else record.getMessage()
    return record.name, record.levelno, message, task, type(error)


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
