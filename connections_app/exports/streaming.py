"""Send an export while it is read from the database."""

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

MAX_STREAMS = 4  # each takes a database connection in addition to the pool's
BUSY_MESSAGE = "Several exports are being sent just now. Try again in a few seconds."
CHUNK_BYTES = 256 * 1024
# The database may sort all calls before it returns the first line.
FIRST_PIECE_TIMEOUT_SECONDS = 20.0
running = 0


async def start(request: ExportRequest, slot: Slot | None = None) -> AsyncGenerator[bytes, None]:
    """Start the query and return the file in pieces; `slot` is released when sending ends.

    Raises `Busy`, `Refused` and database errors, also if the query does not start in time.
    """
    pieces = _pieces(request)
    try:
        async with asyncio.timeout(FIRST_PIECE_TIMEOUT_SECONDS):
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


async def _pieces(request: ExportRequest) -> AsyncGenerator[Piece, None]:
    global running
    if running >= MAX_STREAMS:
        raise Busy(BUSY_MESSAGE)
    running += 1
    try:
        async with aclosing(copying.pieces(request)) as pieces:
            async for piece in pieces:
                yield piece
    finally:
        running -= 1


async def file_chunks(file: BinaryIO) -> AsyncGenerator[bytes, None]:
    """Release the database connection of the HTTP request; yield the contents of `file`, and close it."""
    with file:
        await copying.release_connection()
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk
