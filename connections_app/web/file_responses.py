"""Files as they are sent while they are made, to a reader who takes them."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from typing import TypeVar

from connections_app.web.concurrency import Slot

Part = TypeVar("Part", str, bytes)

TAKEN_WITHIN = 30.0  # seconds; a reader that takes nothing for so long has lost its place
SENT_WITHIN = 1800.0  # seconds for the whole file


async def sent(parts: AsyncGenerator[Part, None], slot: Slot | None = None) -> AsyncGenerator[Part, None]:
    """Send `parts` on, until the reader stops taking them; then give `slot` back."""
    end = asyncio.get_running_loop().time() + SENT_WITHIN
    try:
        async with aclosing(parts):
            async for part in parts:
                with _taken_before(end):
                    yield part
    finally:
        if slot:
            slot.release()


@contextmanager
def _taken_before(end: float) -> Iterator[None]:
    """End the sending to a reader that takes nothing, or takes too long."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    at = min(end, loop.time() + TAKEN_WITHIN)
    cancelling = loop.call_at(at, task.cancel) if task else None
    try:
        yield
    finally:
        if cancelling:
            cancelling.cancel()
