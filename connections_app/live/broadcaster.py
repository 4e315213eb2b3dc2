"""What one web process tells while somebody watches: the board is read, and what is new put on the feed."""

import asyncio
import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError
from django.db import connection as database
from django.utils import timezone
from psycopg_pool import PoolTimeout

from connections_app.live.board_reader import ROWS, Change, Json, Kind, Reader
from connections_app.live.feed import Event, Feed, written, written_around
from connections_app.live.listener import Listener

logger = logging.getLogger(__name__)

# Changes are collected for so long, then read and told together.
COLLECT = 0.05
# The whole board is compared with the database this often: so long a lost announcement stays unknown.
WHOLE_EVERY = 3.0
# Nor is it read more often than this, however many streams begin.
WHOLE_AGAIN = 0.2
HEARTBEAT_EVERY = 15.0
LOOKED_AFTER_EVERY = 1.0
# A board that was not read for so long is stale, whatever keeps it.
OLD = timedelta(seconds=10)
DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeout)

Given = ParamSpec("Given")
Found = TypeVar("Found")


@dataclass
class PendingChanges:
    """What has to be read next: the calls with these keys, and with `mark` how fresh the calls are."""

    calls: set[int] = field(default_factory=set)
    mark: bool = False
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, announcement: bytes) -> None:
        """Take in an announcement: the keys of calls, or nothing for the sync's state."""
        self.calls.update(map(int, filter(None, announcement.split(b","))))
        self.mark = self.mark or not announcement
        self.woken.set()


class BoardReads:
    """Readings of the whole board, numbered: who waits for one waits for one that begins after that."""

    def __init__(self) -> None:
        self.begun = self.read = 0
        self.began_at = self.due_at = float("-inf")
        self.done = asyncio.Condition()

    def begin(self, now: float) -> int:
        self.begun, self.began_at, self.due_at = self.begun + 1, now, now + WHOLE_EVERY
        return self.begun

    async def end(self, number: int) -> None:
        async with self.done:
            self.read = number
            self.done.notify_all()

    def ask(self) -> int:
        """Have one begin soon; its number."""
        self.due_at = min(self.due_at, self.began_at + WHOLE_AGAIN)
        return self.begun + 1

    async def wait_for(self, number: int) -> None:
        async with self.done:
            await self.done.wait_for(lambda: self.read >= number)


class Broadcaster:
    """Made and used on one event loop; `kinds` are those of the streams that are open.

    The board is read and drawn in `thread`, which has one worker.
    """

    def __init__(self, thread: ThreadPoolExecutor, kinds: Callable[[], frozenset[Kind]]) -> None:
        self.thread, self.kinds = thread, kinds
        self.feed, self.reader = Feed(), Reader()
        self.pending, self.board_reads = PendingChanges(), BoardReads()
        self.listener = Listener(lambda announcement: self.pending.add(announcement), self._valkey_changed)
        self.good_at = timezone.now()
        self.database_away_since: datetime | None = None
        self.sent_status, self.beat_at = "", asyncio.get_running_loop().time()

    async def snapshot(self, kind: Kind) -> Event:
        """The whole board for a stream that begins here, with how things stand.

        It is as new as the page that it follows: read after this was asked for, once for all who ask then.
        """
        number = 1
        if kind in ROWS:
            number = self.board_reads.ask()
            self.pending.woken.set()
        await self.board_reads.wait_for(number)
        # One that was drawn stands until something changes, and is never altered.
        found = self.reader.snapshots.get(kind)
        if found is None:
            found = await self.in_thread(self.reader.snapshot, kind)
        return Event(found.number, {kind: written_around("snapshot", self._status(), found.drawn)})

    async def read(self) -> None:
        """Have read what was announced, and every few seconds the whole board."""
        loop = asyncio.get_running_loop()
        self.board_reads.due_at = float("-inf")
        while True:
            await self._woken(self.board_reads.due_at - loop.time())
            pending, self.pending = self.pending, PendingChanges()
            try:
                await self._read_wanted(pending)
            except DATABASE_AWAY:
                self.pending.calls |= pending.calls
                raise
            except Exception:
                self._start_over()
                raise
            self.good_at, self.database_away_since = timezone.now(), None
            self._send_status()

    async def _read_wanted(self, pending: PendingChanges) -> None:
        now, kinds = asyncio.get_running_loop().time(), self.kinds()
        if now >= self.board_reads.due_at:
            number = self.board_reads.begin(now)
            self._send(await self.in_thread(_event, self.reader.read_whole, kinds))
            await self.board_reads.end(number)
        if pending.calls:
            self._send(await self.in_thread(_event, self.reader.read, pending.calls, kinds))
        if pending.mark:
            await self.in_thread(self.reader.read_mark)

    def _start_over(self) -> None:
        """What was taken in may not have been told: every stream is given the whole board again."""
        self.reader = Reader()
        self.feed.start_over()

    async def beat(self) -> None:
        """A heartbeat every 15 s, and as soon as what is shown has become old."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LOOKED_AFTER_EVERY)
            if loop.time() - self.beat_at >= HEARTBEAT_EVERY:
                self._heartbeat()
            else:
                self._send_status()

    def database_away(self, problem: Exception) -> None:
        """What is shown is as it was when the database last answered."""
        if self.database_away_since is None:
            logger.error("The board was not read: the database does not answer (%s)", type(problem).__name__)
            self.database_away_since = self.good_at
        self._send_status()

    async def in_thread(
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

    async def _woken(self, seconds: float) -> None:
        """Wait for an announcement, and then a moment for those that come with it; or for so long."""
        try:
            await asyncio.wait_for(self.pending.woken.wait(), max(0.0, seconds))
        except TimeoutError:
            return
        await asyncio.sleep(COLLECT)

    def _valkey_changed(self) -> None:
        self.board_reads.due_at = float("-inf")
        self.pending.woken.set()
        self._send_status()

    def _send(self, event: Event | None) -> None:
        if event:
            self.feed.tell(event)

    def _send_status(self) -> None:
        """A heartbeat at once, where the mark or what is away has changed."""
        if self.board_reads.read and self._status() != self.sent_status:
            self._heartbeat()

    def _heartbeat(self) -> None:
        self.sent_status, self.beat_at = self._status(), asyncio.get_running_loop().time()
        beat = written("heartbeat", self.sent_status)
        self.feed.tell(Event(0, dict.fromkeys(Kind, beat)))

    def _status(self) -> Json:
        return f'"mark":{self.reader.mark},"stale":{json.dumps(self._stale())}'

    def _stale(self) -> dict[str, str] | None:
        """Since when, and why, what is shown may be old; None while all is well."""
        if since := self.database_away_since:
            return {"since": since.isoformat(), "words": "The database does not answer."}
        if timezone.now() - self.good_at > OLD:
            return {"since": self.good_at.isoformat(), "words": "The board could not be read since then."}
        if since := self.listener.away_since:
            words = "Valkey does not answer: the sync rests, and changes come some seconds late."
            return {"since": since.isoformat(), "words": words}
        return None


def _event(read: Callable[Given, Change | None], *given: Given.args, **more: Given.kwargs) -> Event | None:
    """What a reading found new, as it is sent; None where it found nothing."""
    if change := read(*given, **more):
        return Event(change.number, {kind: written("calls", body) for kind, body in change.drawn.items()})
    return None
