"""Send files while they are made, within time limits for the reader."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from typing import TypeVar

from connections_app.web.concurrency import Slot

Part = TypeVar("Part", str, bytes)

PART_TIMEOUT_SECONDS = 30.0  # a reader that takes no part in this time loses its slot
FILE_TIMEOUT_SECONDS = 1800.0


async def sent(parts: AsyncGenerator[Part, None], slot: Slot | None = None) -> AsyncGenerator[Part, None]:
    """Yield `parts` until the reader stops taking them; then release `slot`."""
    end = asyncio.get_running_loop().time() + FILE_TIMEOUT_SECONDS
    try:
        async with aclosing(parts):
            async for part in parts:
                with _time_limit(end):
                    yield part
    finally:
        if slot:
            slot.release()


@contextmanager
def _time_limit(end: float) -> Iterator[None]:
    """Cancel the task if the reader does not take the part in time, or the file by `end` (loop time)."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    at = min(end, loop.time() + PART_TIMEOUT_SECONDS)
    cancelling = loop.call_at(at, task.cancel) if task else None
    try:
        yield
    finally:
        if cancelling:
            cancelling.cancel()
