"""An export as it is sent while it is read, over a database connection of its own."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager

from asgiref.sync import sync_to_async
from django.db import connection as database
from psycopg import AsyncConnection, IsolationLevel

from connections_app.history import export
from connections_app.history.export import Asked, Lines

# Connections beside the pool's; who comes when all are taken is asked to try again.
MOST = 4
# A reader that takes no batch for so long has lost its place.
TAKEN_WITHIN = 60.0  # seconds
running = 0


class Busy(Exception):
    """As many exports as may be are being sent."""


async def begun(asked: Asked) -> AsyncGenerator[bytes, None]:
    """The file, of which the first part is there already. Raises `Busy`, `Refused` and database errors."""
    pieces = _pieces(asked)
    first = await anext(pieces)
    return _after(first, pieces)


async def _after(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(rest):
        yield first
        async for piece in rest:
            yield piece


async def _pieces(asked: Asked) -> AsyncGenerator[bytes, None]:
    """All in one snapshot. The connection is closed however this ends, which ends its query too."""
    global running
    if running >= MOST:
        raise Busy
    running += 1
    try:
        connection = await _connection(asked)
        try:
            place, rows, begin = "", export.FIRST_BATCH, export.heading(asked)
            while True:
                got = await _read(connection, asked, place, rows)
                with _taken_in_time():
                    yield begin + got.body
                if got.rows < rows:
                    return
                place, rows, begin = got.place, export.BATCH, b""
        finally:
            await connection.close()
    finally:
        running -= 1


async def _connection(asked: Asked) -> "AsyncConnection[tuple[object, ...]]":
    given = database.get_connection_params()
    for name in ("cursor_factory", "context"):
        given.pop(name)
    connection = await AsyncConnection.connect(**given | {"application_name": "sift_dashboard export"})
    await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
    await connection.execute("SELECT set_config('TimeZone', %s, false)", [asked.zone])
    return connection


async def _read(
    connection: "AsyncConnection[tuple[object, ...]]", asked: Asked, place: str, rows: int
) -> Lines:
    wanted = await sync_to_async(export.statement)(asked, place, rows)
    if wanted is None:
        return Lines(b"", 0, place)
    async with connection.cursor() as cursor, cursor.copy(*wanted) as copy:
        return export.lines(asked, [row async for row in copy])


@contextmanager
def _taken_in_time() -> Iterator[None]:
    """Ends the sending to a reader that takes nothing."""
    task = asyncio.current_task()
    end = asyncio.get_running_loop().call_later(TAKEN_WITHIN, task.cancel) if task else None
    try:
        yield
    finally:
        if end:
            end.cancel()
