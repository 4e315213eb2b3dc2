"""Limit how often all processes together read the account: `SIFT_REQUESTS_PER_SECOND`."""

import logging
import threading
import time
from functools import cache
from hashlib import sha256

import redis
from django.conf import settings

from connections_app.engines import valkey

logger = logging.getLogger(__name__)

# Shorter than the lease of a walk that waits for its turn, and short enough to recover soon after a burst of
# urgent reads, which do not wait, or after the clock was set back.
LONGEST_WAIT_SECONDS = 10.0
# Stores the time of the next turn, and moves it with each read. Times and the returned wait: microseconds.
TAKE_TURN = """
    local time = redis.call('TIME')
    local now = time[1] * 1000000 + time[2]
    local next = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
    next = math.min(next, now + tonumber(ARGV[2]))
    redis.call('SET', KEYS[1], string.format('%.0f', next + ARGV[1]), 'PX', 60000)
    return next - now
"""


def turn() -> float:
    """Take the next turn to read the account. Returns the seconds to wait before it.

    Urgent reads take a turn without waiting, so that the others slow down instead. While Valkey does not
    answer, each process applies the limit by itself.
    """
    per_second = settings.SIFT_REQUESTS_PER_SECOND
    if not per_second:
        return 0.0
    interval = 1 / per_second
    if not valkey.server.is_open:
        try:
            return _shared(interval)
        except redis.RedisError as problem:
            valkey.server.suspect()
            logger.warning("Reading is limited by each process: Valkey does not answer (%s)", problem)
    return _own.take(interval)


def _shared(interval: float) -> float:
    take_turn = _take_turn()
    wait = take_turn(keys=[_key()], args=[round(interval * 1e6), round(LONGEST_WAIT_SECONDS * 1e6)])
    return int(wait) / 1e6


@cache
def _take_turn() -> "redis.commands.core.Script":
    return valkey.publisher().register_script(TAKE_TURN)


def _key() -> str:
    """Return one key per account, since several dashboards may read the same account."""
    account = f"{settings.SIFT_API_URL} {settings.SIFT_ACCOUNT_ID}"
    return f"sift:reading:{sha256(account.encode()).hexdigest()[:16]}"


class _Turns:
    """The turns of this process only."""

    def __init__(self) -> None:
        self.lock, self.next = threading.Lock(), 0.0

    def take(self, interval: float) -> float:
        with self.lock:
            now = time.monotonic()
            turn = min(max(self.next, now), now + LONGEST_WAIT_SECONDS)
            self.next = turn + interval
            return turn - now


_own = _Turns()
