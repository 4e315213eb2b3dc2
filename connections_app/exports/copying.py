"""The lines of an export as the database gives them, over a connection of its own."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asgiref.sync import sync_to_async
from django.db import connection as database
from psycopg import AsyncConnection, AsyncCopy, IsolationLevel

from connections_app.engines.database import parameters
from connections_app.exports import writing
from connections_app.exports.writing import ExportRequest

if TYPE_CHECKING:
    from psycopg.abc import PQGen

# So many lines are handed on at once, about 60 KB.
ROWS = 400
# Hash tables of what few calls have are to be held in memory.
MEMORY = "64MB"


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines of the file, and how many of them are calls."""

    body: bytes
    rows: int


async def pieces(asked: ExportRequest) -> AsyncGenerator[Piece, None]:
    """Yield the file, all in one snapshot; the first piece comes once the database has begun.

    The connection is closed however this ends, which ends its query too. Raises `Refused` and database
    errors.
    """
    statement = await sync_to_async(writing.statement)(asked)
    heading = Piece(writing.heading(asked), 0)
    if statement is None:
        yield heading
        return
    async with (
        _connected(asked) as connection,
        connection.cursor() as cursor,
        cursor.copy(*statement) as copy,
    ):
        yield heading
        while rows := await connection.wait(_several(copy)):
            yield Piece(writing.body(asked, rows), len(rows))


def _several(copy: AsyncCopy) -> "PQGen[list[bytes]]":
    """The next rows; to ask for each by itself, as one would, takes three times as long."""
    rows: list[bytes] = []
    while len(rows) < ROWS and (row := (yield from copy._read_gen())):
        rows.append(bytes(row))
    return rows


@sync_to_async
def release_connection() -> None:
    """Give the connection of the request that is answered back to the pool, where others wait for it."""
    database.close()


@asynccontextmanager
async def _connected(asked: ExportRequest) -> "AsyncIterator[AsyncConnection[tuple[object, ...]]]":
    given = parameters() | {"application_name": "sift_dashboard export"}
    connection = await AsyncConnection.connect(**given)
    try:
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        for name, value in (("TimeZone", asked.zone), ("work_mem", MEMORY)):
            await connection.execute("SELECT set_config(%s, %s, false)", [name, value])
        yield connection
    finally:
        await connection.close()
