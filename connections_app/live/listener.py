"""Receive announcements over Valkey, and notice when Valkey does not answer."""

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

PING_SECONDS = 1.0  # between pings while nothing is announced
AWAY_AFTER = timedelta(seconds=3)  # without a message from Valkey


class Listener:
    """Calls `on_announcement` with each announcement, and `changed` when Valkey goes away or comes back.

    `away_since` is None while it answers.
    """

    def __init__(self, on_announcement: Callable[[bytes], None], changed: Callable[[], None]) -> None:
        self.on_announcement, self.changed = on_announcement, changed
        self.away_since: datetime | None = None

    async def listen(self) -> None:
        """Listen until Valkey goes away."""
        try:
            async with _valkey() as valkey, valkey.pubsub() as announcements:
                async with asyncio.timeout(AWAY_AFTER.total_seconds()):
                    await announcements.subscribe(channel())
                await self._receive(announcements)
        except (redis.RedisError, OSError, TimeoutError) as problem:
            if self.away_since is None:
                logger.warning(
                    "Valkey does not answer (%s); the board is read without it", type(problem).__name__
                )
                self.away_since = timezone.now()
                self.changed()

    async def _receive(self, announcements: PubSub) -> None:
        received_at = timezone.now()
        while timezone.now() - received_at < AWAY_AFTER:
            message = await announcements.get_message(timeout=PING_SECONDS)
            if message is None:
                await announcements.ping()
                continue
            received_at = timezone.now()
            if message["type"] == "message":
                self.on_announcement(message["data"])
            elif message["type"] == "subscribe":
                # Earlier announcements were not received.
                self.away_since = None
                self.changed()
        raise redis.TimeoutError


def _valkey() -> redis.asyncio.Redis:
    return redis.asyncio.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=AWAY_AFTER.total_seconds(), retry=Retry(NoBackoff(), 0)
    )
