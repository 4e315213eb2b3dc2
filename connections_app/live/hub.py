"""The streams of one web process, and the work that feeds them, which runs while somebody watches."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self, TypeVar

from connections_app.live import visitors
from connections_app.live.board_reader import Kind
from connections_app.live.broadcaster import DATABASE_AWAY, Broadcaster
from connections_app.live.visitors import Visitor

logger = logging.getLogger(__name__)

Given = TypeVar("Given")
Found = TypeVar("Found")

MAX_CONCURRENT = 4  # lookups of visitors
STUCK_SECONDS = 20.0  # until a reader that receives nothing is dropped
STUCK = "stuck"
VISITOR_CHECK_SECONDS = 2.0  # streams end within this after a sign-out
RETRY_SECONDS = 0.5  # until work that failed starts again
IDLE_SECONDS = 20.0  # without a stream until the work stops: moving to another page does not restart it


@dataclass(eq=False)
class Stream:
    """One open stream. `end` sends `bye` and closes it; a `STUCK` one is closed without."""

    visitor: Visitor
    task: "asyncio.Task[None]"
    why: str = ""
    # When its reader stopped receiving, by the loop's clock; None while it receives.
    waits_since: float | None = None

    @classmethod
    def of_current_task(cls, visitor: Visitor) -> Self:
        """Return the stream that the current task sends."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("A stream is sent by a task")
        return cls(visitor, task)

    def end(self, why: str) -> None:
        """End the stream; `why` is the reason sent to the reader."""
        self.why = why
        self.task.cancel()


class Hub:
    """The streams of one web process, and their broadcaster."""

    def __init__(self) -> None:
        self.streams: set[Stream] = set()
        self.thread = ThreadPoolExecutor(1, "live")
        self.visitor_threads = ThreadPoolExecutor(MAX_CONCURRENT, "doors")
        self.work: list[asyncio.Task[None]] = []
        self.stopping: asyncio.TimerHandle | None = None
        self.broadcaster: Broadcaster | None = None

    def join(self, visitor: Visitor) -> tuple[Stream, Broadcaster]:
        """Add the current task's stream; return it and its broadcaster. The first stream starts the work."""
        stream = Stream.of_current_task(visitor)
        self.streams.add(stream)
        if self.stopping:
            self.stopping.cancel()
        return stream, self.broadcaster or self._begin()

    def leave(self, stream: Stream) -> None:
        """Remove `stream`; after the last one, the work stops once `IDLE_SECONDS` have passed."""
        self.streams.discard(stream)
        if not self.streams:
            self.stopping = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._stop)

    def kinds(self) -> frozenset[Kind]:
        """Return the kinds of the open streams."""
        return frozenset(stream.visitor.kind for stream in self.streams)

    def _begin(self) -> Broadcaster:
        broadcaster = self.broadcaster = Broadcaster(self.thread, self.kinds)
        works = (broadcaster.listener.listen, broadcaster.read, broadcaster.beat, self._watch_visitors)
        self.work = [asyncio.create_task(_keep_running(one, broadcaster)) for one in works]
        return broadcaster

    def _stop(self) -> None:
        for task in self.work:
            task.cancel()
        self.work, self.broadcaster = [], None

    async def look_up_visitor(self, look: Callable[[Given], Found], given: Given) -> Found:
        """Return `look(given)`, which queries the database for visitors, run in one of a few threads."""
        return await asyncio.get_running_loop().run_in_executor(self.visitor_threads, look, given)

    async def _watch_visitors(self) -> None:
        """End streams whose person signed out or was deactivated, whose link was revoked, or that hang."""
        while True:
            await asyncio.sleep(VISITOR_CHECK_SECONDS)
            self._drop_stuck()
            watching = {stream.visitor for stream in self.streams}
            ended = await self.look_up_visitor(visitors.find_ended, watching)
            for stream in [one for one in self.streams if one.visitor in ended]:
                stream.end(ended[stream.visitor])

    def _drop_stuck(self) -> None:
        """Drop streams whose reader receives nothing. A timer for each event would double its cost."""
        before = asyncio.get_running_loop().time() - STUCK_SECONDS
        for stream in self.streams:
            if stream.waits_since is not None and stream.waits_since < before:
                logger.warning("A stream was dropped: its reader took nothing for %.0f s", STUCK_SECONDS)
                stream.end(STUCK)


async def _keep_running(work: Callable[[], Coroutine[None, None, None]], broadcaster: Broadcaster) -> None:
    """Start `work` again whenever it fails or returns, until the task is cancelled."""
    while True:
        try:
            await work()
        except DATABASE_AWAY as problem:
            broadcaster.database_away(problem)
        except Exception:
            logger.exception("The live board's work was interrupted, and begins again")
        await asyncio.sleep(RETRY_SECONDS)
