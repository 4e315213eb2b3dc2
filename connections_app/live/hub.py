"""The streams of one web process, and the work that keeps them told: it is done while somebody watches."""

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

# So many sign-ins are looked up at once.
MAX_CONCURRENT = 4
# A reader that takes nothing for so long is dropped.
STUCK_AFTER = 20.0
STUCK = "stuck"
# Who signed out, or may no longer watch, is found this soon.
VISITORS_CHECKED_EVERY = 2.0
# Work that was interrupted begins again after so long.
AGAIN = 0.5
# So long nobody has to be there before the work rests: pages that follow each other do not restart it.
RESTS_AFTER = 20.0


@dataclass(eq=False)
class Stream:
    """One open stream. `end` makes it say goodbye and close; one that is `STUCK` closes without."""

    visitor: Visitor
    task: "asyncio.Task[None]"
    why: str = ""
    # Since when its reader has not taken what it is sent, by the loop's clock.
    waits_since: float | None = None

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


class Hub:
    """One for each web process."""

    def __init__(self) -> None:
        self.streams: set[Stream] = set()
        self.thread = ThreadPoolExecutor(1, "live")
        self.visitor_threads = ThreadPoolExecutor(MAX_CONCURRENT, "doors")
        self.work: list[asyncio.Task[None]] = []
        self.resting: asyncio.TimerHandle | None = None
        self.broadcaster: Broadcaster | None = None

    def join(self, visitor: Visitor) -> tuple[Stream, Broadcaster]:
        """Note the stream that the current task sends, and what tells it; the first one starts the work."""
        stream = Stream.here(visitor)
        self.streams.add(stream)
        if self.resting:
            self.resting.cancel()
        return stream, self.broadcaster or self._begin()

    def leave(self, stream: Stream) -> None:
        self.streams.discard(stream)
        if not self.streams:
            self.resting = asyncio.get_running_loop().call_later(RESTS_AFTER, self._rest)

    def kinds(self) -> frozenset[Kind]:
        """What the open streams have to be drawn."""
        return frozenset(stream.visitor.kind for stream in self.streams)

    def _begin(self) -> Broadcaster:
        broadcaster = self.broadcaster = Broadcaster(self.thread, self.kinds)
        works = (broadcaster.listener.listen, broadcaster.read, broadcaster.beat, self._watch_visitors)
        self.work = [asyncio.create_task(_again_and_again(one, broadcaster)) for one in works]
        return broadcaster

    def _rest(self) -> None:
        for task in self.work:
            task.cancel()
        self.work, self.broadcaster = [], None

    async def look_up_visitor(self, look: Callable[[Given], Found], given: Given) -> Found:
        """Look in the database who may watch, in one of a few threads."""
        return await asyncio.get_running_loop().run_in_executor(self.visitor_threads, look, given)

    async def _watch_visitors(self) -> None:
        """End the streams of those who signed out, were switched off, or whose link was revoked; and of
        readers that take nothing."""
        while True:
            await asyncio.sleep(VISITORS_CHECKED_EVERY)
            self._drop_stuck()
            watching = {stream.visitor for stream in self.streams}
            gone = await self.look_up_visitor(visitors.have_left, watching)
            for stream in [one for one in self.streams if one.visitor in gone]:
                stream.end(gone[stream.visitor])

    def _drop_stuck(self) -> None:
        """Looked for here, since a timer for everything sent would cost as much as the sending."""
        before = asyncio.get_running_loop().time() - STUCK_AFTER
        for stream in self.streams:
            if stream.waits_since is not None and stream.waits_since < before:
                logger.warning("A stream was dropped: its reader took nothing for %.0f s", STUCK_AFTER)
                stream.end(STUCK)


async def _again_and_again(work: Callable[[], Coroutine[None, None, None]], broadcaster: Broadcaster) -> None:
    """`work` goes on for as long as somebody watches, whatever happens to it."""
    while True:
        try:
            await work()
        except DATABASE_AWAY as problem:
            broadcaster.database_away(problem)
        except Exception:
            logger.exception("The live board's work was interrupted, and begins again")
        await asyncio.sleep(AGAIN)
