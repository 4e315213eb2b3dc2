"""The work of one web process while somebody watches: read the board, and publish what is new."""

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
from connections_app.live.feed import Event, Feed, event_piece, event_piece_around
from connections_app.live.listener import Listener

logger = logging.getLogger(__name__)

COLLECT_SECONDS = 0.05  # changes that come together are read and sent together
WHOLE_READ_SECONDS = 3.0  # a lost announcement is made good within this
WHOLE_READ_PAUSE_SECONDS = 0.2  # between two reads at least, however many streams begin
HEARTBEAT_SECONDS = 15.0
STATUS_CHECK_SECONDS = 1.0
STALE_AFTER = timedelta(seconds=10)  # without a read, whatever the cause
DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeout)

Given = ParamSpec("Given")
Found = TypeVar("Found")


@dataclass
class PendingChanges:
    """What to read next: the calls with these keys and, if `mark` is set, how fresh the calls are."""

    calls: set[int] = field(default_factory=set)
    mark: bool = False
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, announcement: bytes) -> None:
        """Add an announcement: the keys of calls, or nothing if the sync's state changed."""
        self.calls.update(map(int, filter(None, announcement.split(b","))))
        self.mark = self.mark or not announcement
        self.woken.set()


class BoardReads:
    """Reads of the whole board, numbered, so that a stream can wait for one that begins after its request."""

    def __init__(self) -> None:
        self.begun = self.read = 0
        self.began_at = self.due_at = float("-inf")
        self.done = asyncio.Condition()

    def begin(self, now: float) -> int:
        """Record that a read begins `now`, by the loop's clock, and return its number."""
        self.begun, self.began_at, self.due_at = self.begun + 1, now, now + WHOLE_READ_SECONDS
        return self.begun

    async def end(self, number: int) -> None:
        """Record that read `number` has ended."""
        async with self.done:
            self.read = number
            self.done.notify_all()

    def request(self) -> int:
        """Make a read due soon, and return its number."""
        self.due_at = min(self.due_at, self.began_at + WHOLE_READ_PAUSE_SECONDS)
        return self.begun + 1

    async def wait_for(self, number: int) -> None:
        """Wait until read `number` has ended."""
        async with self.done:
            await self.done.wait_for(lambda: self.read >= number)


class Broadcaster:
    """Reads and renders the board in `thread`, which has one worker, for the `kinds` of the open streams.

    It is made and used on one event loop.
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
        """Return the whole board and its status, for a stream that begins now.

        It is at least as new as the page: it is read after this call, once for all calls that wait.
        """
        number = 1
        if kind in ROWS:
            number = self.board_reads.request()
            self.pending.woken.set()
        await self.board_reads.wait_for(number)
        # A snapshot is valid until something changes, and is never modified.
        found = self.reader.snapshots.get(kind)
        if found is None:
            found = await self.in_thread(self.reader.snapshot, kind)
        return Event(found.number, {kind: event_piece_around("snapshot", self._status(), found.drawn)})

    async def read(self) -> None:
        """Read what was announced and, every few seconds, the whole board. Runs until cancelled."""
        loop = asyncio.get_running_loop()
        self.board_reads.due_at = float("-inf")
        while True:
            await self._wait_for_changes(self.board_reads.due_at - loop.time())
            pending, self.pending = self.pending, PendingChanges()
            try:
                await self._read_pending(pending)
            except DATABASE_AWAY:
                self.pending.calls |= pending.calls
                raise
            except Exception:
                self._start_over()
                raise
            self.good_at, self.database_away_since = timezone.now(), None
            self._send_status()

    async def _read_pending(self, pending: PendingChanges) -> None:
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
        """Send every stream the whole board again: some of what was read may not have been sent."""
        self.reader = Reader()
        self.feed.start_over()

    async def beat(self) -> None:
        """Send a heartbeat every 15 s, and as soon as the board becomes stale. Runs until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(STATUS_CHECK_SECONDS)
            if loop.time() - self.beat_at >= HEARTBEAT_SECONDS:
                self._heartbeat()
            else:
                self._send_status()

    def database_away(self, problem: Exception) -> None:
        """Report the board as stale since the database last answered; log `problem`."""
        if self.database_away_since is None:
            logger.error("The board was not read: the database does not answer (%s)", type(problem).__name__)
            self.database_away_since = self.good_at
        self._send_status()

    async def in_thread(
        self, work: Callable[Given, Found], *given: Given.args, **more: Given.kwargs
    ) -> Found:
        """Run `work`, which may use the database, in the reader's thread, and return its result."""

        def done() -> Found:
            try:
                with timezone.override("UTC"):
                    return work(*given, **more)
            finally:
                database.close()

        return await asyncio.get_running_loop().run_in_executor(self.thread, done)

    async def _wait_for_changes(self, seconds: float) -> None:
        """Wait for an announcement, for `seconds` at most, and a moment for those that come with it."""
        try:
            await asyncio.wait_for(self.pending.woken.wait(), max(0.0, seconds))
        except TimeoutError:
            return
        await asyncio.sleep(COLLECT_SECONDS)

    def _valkey_changed(self) -> None:
        self.board_reads.due_at = float("-inf")
        self.pending.woken.set()
        self._send_status()

    def _send(self, event: Event | None) -> None:
        if event:
            self.feed.publish(event)

    def _send_status(self) -> None:
        """Send a heartbeat now if the mark or the staleness has changed."""
        if self.board_reads.read and self._status() != self.sent_status:
            self._heartbeat()

    def _heartbeat(self) -> None:
        self.sent_status, self.beat_at = self._status(), asyncio.get_running_loop().time()
        beat = event_piece("heartbeat", self.sent_status)
        self.feed.publish(Event(0, dict.fromkeys(Kind, beat)))

    def _status(self) -> Json:
        return f'"mark":{self.reader.mark},"stale":{json.dumps(self._stale())}'

    def _stale(self) -> dict[str, str] | None:
        """Return since when, and why, the board may be stale; None if it is not."""
        if since := self.database_away_since:
            return {"since": since.isoformat(), "words": "The database does not answer."}
        if timezone.now() - self.good_at > STALE_AFTER:
            return {"since": self.good_at.isoformat(), "words": "The board could not be read since then."}
        if since := self.listener.away_since:
            words = "Valkey does not answer: the sync rests, and changes come some seconds late."
            return {"since": since.isoformat(), "words": words}
        return None


def _event(read: Callable[Given, Change | None], *given: Given.args, **more: Given.kwargs) -> Event | None:
    """Return the event with what `read` found new; None if it found nothing."""
    if change := read(*given, **more):
        return Event(change.number, {kind: event_piece("calls", body) for kind, body in change.drawn.items()})
    return None
