"""Tell every web process which calls have changed, once that is committed.

An announcement only wakes: who hears it reads the database. One that is lost costs a few seconds, since what
is shown is also compared with the database every three.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, partial
from time import monotonic

import redis
from django.conf import settings
from django.db import connection as database
from django.db import transaction
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)

# Whoever announces waits no longer than this, once or twice; a callback's answer waits with it.
SECONDS = 0.125
# So long Valkey is left alone after it did not answer.
AWAY_SECONDS = 1.0


@dataclass
class Away:
    until: float = 0.0


away = Away()


def channel() -> str:
    """The Valkey channel of this database's announcements."""
    return f"sift:{database.settings_dict['NAME']}:changed"


def announce(calls: Iterable[int] = ()) -> None:
    """Announce the calls with these keys as changed, after the transaction that is open; without any, that
    the sync's state changed. Never raises, and waits a quarter of a second at the most."""
    told = ",".join(map(str, calls))
    transaction.on_commit(partial(_publish, channel(), told))


def _publish(where: str, told: str) -> None:
    if monotonic() < away.until:
        return
    try:
        _valkey().publish(where, told)
    except redis.RedisError as problem:
        away.until = monotonic() + AWAY_SECONDS
        logger.warning("A change was not announced: Valkey does not answer (%s)", type(problem).__name__)


@cache
def _valkey() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=SECONDS,
        socket_connect_timeout=SECONDS,
        # One that was closed in the meantime is opened again.
        retry=Retry(NoBackoff(), 1),
    )
