"""Hear what is announced over Valkey, and notice when Valkey is not there."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import redis.asyncio
from django.conf import settings
from django.utils import timezone
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from connections_app.calls.notify import channel

logger = logging.getLogger(__name__)

# Valkey is asked whether it is there; so long without a word from it, it is not.
PING_EVERY = 1.0
SILENT = timedelta(seconds=3)


class Listener:
    """`on_announcement` is told each announcement; `changed` that Valkey went away or came back.

    `away_since` is None while it answers.
    """

    def __init__(self, on_announcement: Callable[[bytes], None], changed: Callable[[], None]) -> None:
        self.on_announcement, self.changed = on_announcement, changed
        self.away_since: datetime | None = None

    async def listen(self) -> None:
        """Listen until Valkey goes away."""
        try:
            async with _valkey() as valkey, valkey.pubsub() as announcements:
                async with asyncio.timeout(SILENT.total_seconds()):
                    await announcements.subscribe(channel())
                await self._hear(announcements)
        except (redis.RedisError, OSError, TimeoutError) as problem:
            if self.away_since is None:
                logger.warning(
                    "Valkey does not answer (%s); the board is read without it", type(problem).__name__
                )
                self.away_since = timezone.now()
                self.changed()

    async def _hear(self, announcements: PubSub) -> None:
        heard_at = timezone.now()
        while timezone.now() - heard_at < SILENT:
            message = await announcements.get_message(timeout=PING_EVERY)
            if message is None:
                await announcements.ping()
                continue
            heard_at = timezone.now()
            if message["type"] == "message":
                self.on_announcement(message["data"])
            elif message["type"] == "subscribe":
                # What was announced until now was not heard.
                self.away_since = None
                self.changed()
        raise redis.TimeoutError


def _valkey() -> redis.asyncio.Redis:
    return redis.asyncio.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=SILENT.total_seconds(), retry=Retry(NoBackoff(), 0)
    )
