"""An export as it is sent while it is read."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import BinaryIO

from django.db import OperationalError

from connections_app.exports import copying
from connections_app.exports.copying import Piece
from connections_app.exports.writing import ExportRequest
from connections_app.web.concurrency import Busy, Slot
from connections_app.web.file_responses import sent

# Connections beside the pool's; who comes when all are taken is asked to try again.
MOST = 4
MANY = "Several exports are being sent just now. Try again in a few seconds."
CHUNK = 256 * 1024  # bytes of a file, read and sent at once
BEGUN_WITHIN = 20.0  # seconds; the database sorts before it gives the first line
running = 0


async def begun(asked: ExportRequest, slot: Slot | None = None) -> AsyncGenerator[bytes, None]:
    """Return the file, which the database has begun to write; `slot` is given back when it is sent.

    Raises `Busy`, `Refused` and database errors, also where the database does not begin in time.
    """
    pieces = _pieces(asked)
    try:
        async with asyncio.timeout(BEGUN_WITHIN):
            first = await anext(pieces)
    except TimeoutError as problem:
        raise OperationalError("The database did not begin the export in time.") from problem
    return sent(_after(first, pieces), slot)


async def _after(first: Piece, rest: AsyncGenerator[Piece, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(rest):
        await copying.release_connection()
        if first.body:
            yield first.body
        async for piece in rest:
            yield piece.body


async def _pieces(asked: ExportRequest) -> AsyncGenerator[Piece, None]:
    global running
    if running >= MOST:
        raise Busy(MANY)
    running += 1
    try:
        async with aclosing(copying.pieces(asked)) as pieces:
            async for piece in pieces:
                yield piece
    finally:
        running -= 1


async def octets(file: BinaryIO) -> AsyncGenerator[bytes, None]:
    """Yield what `file` holds, without the database connection of the request, and close it."""
    with file:
        await copying.release_connection()
        while read := await asyncio.to_thread(file.read, CHUNK):
            yield read
