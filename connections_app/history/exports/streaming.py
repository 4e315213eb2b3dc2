"""An export as it is sent while it is read."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager

from connections_app.history.exports import copying
from connections_app.history.exports.copying import Piece
from connections_app.history.exports.writing import Asked

# Connections beside the pool's; who comes when all are taken is asked to try again.
MOST = 4
# A reader that takes nothing for so long has lost its place, and so has one that takes longer altogether.
TAKEN_WITHIN = 60.0  # seconds
SENT_WITHIN = 1800.0  # seconds
running = 0


class Busy(Exception):
    """As many exports as may be are being sent."""


async def begun(asked: Asked) -> AsyncGenerator[bytes, None]:
    """The file, which the database has begun to write. Raises `Busy`, `Refused` and database errors."""
    pieces = _pieces(asked)
    first = await anext(pieces)
    return _after(first, pieces)


async def _after(first: Piece, rest: AsyncGenerator[Piece, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(rest):
        await copying.let_go()
        end = asyncio.get_running_loop().time() + SENT_WITHIN
        if first.body:
            yield first.body
        async for piece in rest:
            with _taken_before(end):
                yield piece.body


async def _pieces(asked: Asked) -> AsyncGenerator[Piece, None]:
    global running
    if running >= MOST:
        raise Busy
    running += 1
    try:
        async with aclosing(copying.pieces(asked)) as pieces:
            async for piece in pieces:
                yield piece
    finally:
        running -= 1


@contextmanager
def _taken_before(end: float) -> Iterator[None]:
    """Ends the sending to a reader that takes nothing, or takes too long."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    at = min(end, loop.time() + TAKEN_WITHIN)
    cancelling = loop.call_at(at, task.cancel) if task else None
    try:
        yield
    finally:
        if cancelling:
            cancelling.cancel()
