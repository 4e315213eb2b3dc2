"""Limit how often the account is read, by all processes together: `SIFT_REQUESTS_PER_SECOND`."""

import logging
import threading
import time
from functools import cache
from hashlib import sha256

import redis
from django.conf import settings

from connections_app.engines import valkey

logger = logging.getLogger(__name__)

# How long a turn may be away at the most: shorter than the lease of a walk that waits for it, and soon over
# after many reads that took no turn, or after a clock that was set back.
LONGEST_WAIT_SECONDS = 10.0
# In microseconds: the time of the next turn is kept, and each read takes one. Returns how long to wait.
TAKE = """
    local time = redis.call('TIME')
    local now = time[1] * 1000000 + time[2]
    local next = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
    next = math.min(next, now + tonumber(ARGV[2]))
    redis.call('SET', KEYS[1], string.format('%.0f', next + ARGV[1]), 'PX', 60000)
    return next - now
"""


def turn() -> float:
    """Take the next turn to read the account. Returns for how many seconds to wait before it.

    Urgent reads take a turn too, without waiting for it, so that the others make up for them. While Valkey
    does not answer, each process keeps the limit by itself.
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
    taking = _taking()
    waits = taking(keys=[_key()], args=[round(interval * 1e6), round(LONGEST_WAIT_SECONDS * 1e6)])
    return int(waits) / 1e6


@cache
def _taking() -> "redis.commands.core.Script":
    return valkey.publisher().register_script(TAKE)


def _key() -> str:
    """One for each account, whatever databases it is read into."""
    account = f"{settings.SIFT_API_URL} {settings.SIFT_ACCOUNT_ID}"
    return f"sift:reading:{sha256(account.encode()).hexdigest()[:16]}"


class _Turns:
    """The turns of this process alone."""

    def __init__(self) -> None:
        self.lock, self.next = threading.Lock(), 0.0

    def take(self, interval: float) -> float:
        with self.lock:
            now = time.monotonic()
            turn = min(max(self.next, now), now + LONGEST_WAIT_SECONDS)
            self.next = turn + interval
            return turn - now


_own = _Turns()
