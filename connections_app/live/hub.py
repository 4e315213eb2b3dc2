"""What keeps one web process's streams told: it listens to Valkey, has the board read, and tells the feed.

It works while somebody watches and rests otherwise. Everything here runs on the event loop; the board is read
and drawn in one thread beside it.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ParamSpec, Self, TypeVar

import redis.asyncio
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.db import connection as database
from django.utils import timezone
from psycopg_pool import PoolTimeout
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from connections_app.announcing import channel
from connections_app.live import doors
from connections_app.live.doors import Visitor
from connections_app.live.feed import Event, Feed, written
from connections_app.live.reading import ROWS, Change, Json, Kind, Reader

logger = logging.getLogger(__name__)

# Changes are collected for so long, then read and told together.
COLLECT = 0.05
# The whole board is compared with the database this often: so long a lost announcement stays unknown.
WHOLE_EVERY = 3.0
# Nor is it read more often than this, however many streams begin.
WHOLE_AGAIN = 0.2
HEARTBEAT_EVERY = 15.0
# Who signed out, or may no longer watch, is found this soon.
DOORS_EVERY = 2.0
# Valkey is asked whether it is there; so long without a word from it, it is not.
PING_EVERY = 1.0
SILENT = timedelta(seconds=3)
AGAIN = 0.5
# So long nobody has to be there before the work rests: pages that follow each other do not restart it.
RESTS_AFTER = 20.0
DATABASE_AWAY = (DatabaseError, InterfaceError, PoolTimeout)

Given = ParamSpec("Given")
Found = TypeVar("Found")


@dataclass(eq=False)
class Stream:
    """One open stream; `end` makes it say goodbye and close."""

    visitor: Visitor
    task: "asyncio.Task[None]"
    why: str = ""

    @classmethod
    def here(cls, visitor: Visitor) -> Self:
        """The stream that the current task sends."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("A stream is sent by a task")
        return cls(visitor, task)

    def end(self, why: str) -> None:
        self.why = why
        self.task.cancel()


@dataclass
class Away:
    """Since when the database or Valkey does not answer; both None while all is well."""

    database: datetime | None = None
    valkey: datetime | None = None

    def told(self) -> Json:
        """As `stale` in snapshots and heartbeats."""
        if self.database:
            return _stale(self.database, "The database does not answer.")
        if self.valkey:
            return _stale(
                self.valkey, "Valkey does not answer: the sync rests, and changes come some seconds late."
            )
        return "null"


@dataclass
class Wanted:
    """What has to be read next."""

    calls: set[int] = field(default_factory=set)
    mark: bool = False
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, told: bytes) -> None:
        """Take in an announcement: the keys of calls, or nothing for the sync's state."""
        self.calls.update(map(int, filter(None, told.split(b","))))
        self.mark = self.mark or not told
        self.woken.set()


class Hub:
    """One for each web process."""

    def __init__(self) -> None:
        self.streams: set[Stream] = set()
        self.thread = ThreadPoolExecutor(1, "live")
        self.work: list[asyncio.Task[None]] = []
        self.resting: asyncio.TimerHandle | None = None

    def join(self, visitor: Visitor) -> Stream:
        """Note the stream that the current task sends, and begin to work where it is the first."""
        stream = Stream.here(visitor)
        self.streams.add(stream)
        if self.resting:
            self.resting.cancel()
        if not self.work:
            self._begin()
        return stream

    def leave(self, stream: Stream) -> None:
        self.streams.discard(stream)
        if not self.streams:
            self.resting = asyncio.get_running_loop().call_later(RESTS_AFTER, self._rest)

    async def snapshot(self, kind: Kind) -> Event:
        """The whole board for a stream that begins here, with how things stand.

        It is as new as the page that it follows: read after this was asked for, once for all who ask then.
        """
        if kind in ROWS:
            self.whole_at = min(self.whole_at, self.whole_began + WHOLE_AGAIN)
            self.wanted.woken.set()
            wanted = self.wholes_begun + 1
        else:
            wanted = 1
        async with self.whole:
            await self.whole.wait_for(lambda: self.wholes_read >= wanted)
        found = await self._in_thread(self.reader.snapshot, kind)
        return Event(found.number, {kind: written("snapshot", f"{found.drawn},{self._standing()}")})

    def _begin(self) -> None:
        self.feed, self.reader, self.wanted, self.away = Feed(), Reader(), Wanted(), Away()
        # Readings of the whole board are numbered: who waits for one waits for one that begins after that.
        self.whole = asyncio.Condition()
        self.wholes_begun = self.wholes_read = 0
        self.whole_at = self.whole_began = float("-inf")
        self.good_at = timezone.now()
        self.told_standing = ""
        works = (self._listen, self._read, self._beat, self._watch_doors)
        self.work = [asyncio.create_task(self._again_and_again(one)) for one in works]

    def _rest(self) -> None:
        for task in self.work:
            task.cancel()
        self.work = []

    async def _again_and_again(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """`work` goes on for as long as somebody watches, whatever happens to it."""
        while True:
            try:
                await work()
            except DATABASE_AWAY as problem:
                self._database_away(problem)
            except Exception:
                logger.exception("The live board's work was interrupted, and begins again")
            await asyncio.sleep(AGAIN)

    async def _listen(self) -> None:
        """Hear announcements, and notice when Valkey is not there."""
        try:
            async with _valkey() as valkey, valkey.pubsub() as announcements:
                await announcements.subscribe(channel())
                await self._hear(announcements)
        except (redis.RedisError, OSError) as problem:
            if self.away.valkey is None:
                logger.warning(
                    "Valkey does not answer (%s); the board is read without it", type(problem).__name__
                )
                self.away.valkey = timezone.now()
            self._tell_standing()

    async def _hear(self, announcements: PubSub) -> None:
        heard_at = timezone.now()
        while timezone.now() - heard_at < SILENT:
            message = await announcements.get_message(timeout=PING_EVERY)
            if message is None:
                await announcements.ping()
                continue
            heard_at = timezone.now()
            if message["type"] == "message":
                self.wanted.add(message["data"])
            elif self.away.valkey or message["type"] == "subscribe":
                self._valkey_back()
        raise redis.TimeoutError

    def _valkey_back(self) -> None:
        """What was announced in the meantime was not heard: the whole board is read again."""
        self.away.valkey = None
        self.whole_at = float("-inf")
        self.wanted.woken.set()
        self._tell_standing()

    async def _read(self) -> None:
        """Have read what was announced, and every few seconds the whole board."""
        self.whole_at = float("-inf")
        loop = asyncio.get_running_loop()
        while True:
            await self._woken(self.whole_at - loop.time())
            kinds = frozenset(stream.visitor.kind for stream in self.streams)
            calls, mark = self.wanted.calls, self.wanted.mark
            self.wanted = Wanted()
            if loop.time() >= self.whole_at:
                await self._read_whole(kinds)
            elif calls:
                self._tell(await self._in_thread(self.reader.read, calls, kinds))
            if mark:
                await self._in_thread(self.reader.read_mark)
            self.good_at, self.away.database = timezone.now(), None
            self._tell_standing()

    async def _read_whole(self, kinds: frozenset[Kind]) -> None:
        self.wholes_begun, self.whole_began = self.wholes_begun + 1, asyncio.get_running_loop().time()
        self.whole_at = self.whole_began + WHOLE_EVERY
        number = self.wholes_begun
        self._tell(await self._in_thread(self.reader.read_whole, kinds))
        async with self.whole:
            self.wholes_read = number
            self.whole.notify_all()

    async def _woken(self, seconds: float) -> None:
        """Wait for an announcement, and then a moment for those that come with it; or for so long."""
        try:
            await asyncio.wait_for(self.wanted.woken.wait(), max(0.0, seconds))
        except TimeoutError:
            return
        await asyncio.sleep(COLLECT)

    def _database_away(self, problem: Exception) -> None:
        if self.away.database is None:
            logger.error(
                "The live board was not read: the database does not answer (%s)", type(problem).__name__
            )
            self.away.database = self.good_at
        self._tell_standing()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_EVERY)
            self._heartbeat()

    async def _watch_doors(self) -> None:
        """End the streams of those who signed out, were switched off, or whose link was revoked."""
        while True:
            await asyncio.sleep(DOORS_EVERY)
            watching = {stream.visitor for stream in self.streams}
            gone = await self._in_thread(doors.left, watching)
            for stream in [one for one in self.streams if one.visitor in gone]:
                stream.end(gone[stream.visitor])

    def _tell(self, change: Change | None) -> None:
        if change:
            now = timezone.now()
            sent = {kind: written("calls", body, now) for kind, body in change.drawn.items()}
            self.feed.tell(Event(change.number, sent))

    def _tell_standing(self) -> None:
        """A heartbeat at once, where the mark or what is away has changed."""
        if self.wholes_read and self._standing() != self.told_standing:
            self._heartbeat()

    def _heartbeat(self) -> None:
        self.told_standing = self._standing()
        beat = written("heartbeat", self.told_standing)
        self.feed.tell(Event(0, dict.fromkeys(Kind, beat)))

    def _standing(self) -> Json:
        return f'"mark":{self.reader.mark},"stale":{self.away.told()}'

    async def _in_thread(
        self, work: Callable[Given, Found], *given: Given.args, **more: Given.kwargs
    ) -> Found:
        """Do `work`, which may use the database, in the reader's thread."""

        def done() -> Found:
            try:
                with timezone.override("UTC"):
                    return work(*given, **more)
            finally:
                database.close()

        return await asyncio.get_running_loop().run_in_executor(self.thread, done)


def _valkey() -> redis.asyncio.Redis:
    return redis.asyncio.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=SILENT.total_seconds(), retry=Retry(NoBackoff(), 0)
    )


def _stale(since: datetime, words: str) -> Json:
    return json.dumps({"since": since.isoformat(), "words": words})
