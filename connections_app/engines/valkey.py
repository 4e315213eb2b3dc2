"""The connection to Valkey: `server` is its circuit breaker."""

from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from connections_app.engines.breaker import Breaker

PUBLISH_SECONDS = 0.125  # for each of two attempts; the answer to a callback waits for them


def client(seconds: float, tries: int = 1) -> redis.Redis:
    """Return a client that waits `seconds` at most for a connection, and for each answer."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        # A connection that was closed in the meantime is opened again.
        retry=Retry(NoBackoff(), tries - 1),
    )


@cache
def publisher() -> redis.Redis:
    """Return the client for announcements, which this process shares."""
    return client(PUBLISH_SECONDS, tries=2)


def _probe() -> None:
    with client(PUBLISH_SECONDS) as valkey:
        valkey.ping()


server = Breaker("Valkey", _probe, (redis.RedisError,))
