"""The lines of an export as the database gives them, over a connection of its own."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asgiref.sync import sync_to_async
from django.db import connection as database
from psycopg import AsyncConnection, AsyncCopy, IsolationLevel

from connections_app.history.exports import writing
from connections_app.history.exports.writing import Asked

if TYPE_CHECKING:
    from psycopg.abc import PQGen

# So many lines are handed on at once, about 60 KB.
ROWS = 400
# Hash tables of what few calls have are to be held in memory.
MEMORY = "64MB"


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines of the file, how many of them are calls, and the place of the last one, where asked for."""

    body: bytes
    rows: int
    place: str = ""


async def pieces(asked: Asked, place: str | None = None) -> AsyncGenerator[Piece, None]:
    """The file from its beginning, or what follows `place`, as in `writing.statement`. All in one snapshot.

    The first piece comes once the database has begun. The connection is closed however this ends, which ends
    its query too. Raises `Refused`, `BadPlace` and database errors.
    """
    wanted = await sync_to_async(writing.statement)(asked, place)
    heading = Piece(b"" if place else writing.heading(asked), 0, place or "")
    if wanted is None:
        yield heading
        return
    async with _connected(asked) as connection, connection.cursor() as cursor, cursor.copy(*wanted) as copy:
        yield heading
        while rows := await connection.wait(_several(copy)):
            last, lines = (place, rows) if place is None else writing.parted(asked, rows)
            yield Piece(writing.body(asked, lines), len(rows), last or "")


def _several(copy: AsyncCopy) -> "PQGen[list[bytes]]":
    """The next rows; to ask for each by itself, as one would, takes three times as long."""
    rows: list[bytes] = []
    while len(rows) < ROWS and (row := (yield from copy._read_gen())):
        rows.append(bytes(row))
    return rows


@sync_to_async
def let_go() -> None:
    """Give the connection of the request that is answered back to the pool, where others wait for it."""
    database.close()


@asynccontextmanager
async def _connected(asked: Asked) -> "AsyncIterator[AsyncConnection[tuple[object, ...]]]":
    given = database.get_connection_params()
    for name in ("cursor_factory", "context"):
        given.pop(name)
    connection = await AsyncConnection.connect(**given | {"application_name": "sift_dashboard export"})
    try:
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        for name, value in (("TimeZone", asked.zone), ("work_mem", MEMORY)):
            await connection.execute("SELECT set_config(%s, %s, false)", [name, value])
        yield connection
    finally:
        await connection.close()
