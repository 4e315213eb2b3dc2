"""Read the lines of an export from the database, over a separate connection."""

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

ROWS_PER_PIECE = 400  # about 60 KB
WORK_MEM = "64MB"  # keeps the hash tables of names and tags in memory


@dataclass(frozen=True, slots=True)
class Piece:
    """Complete lines of the file, and the number of calls among them."""

    body: bytes
    rows: int


async def pieces(request: ExportRequest) -> AsyncGenerator[Piece, None]:
    """Yield the file, read in one snapshot; the first piece comes when the query has started.

    The connection is closed in every case, which also ends the query. Raises `Refused` and database errors.
    """
    statement = await sync_to_async(writing.statement)(request)
    heading = Piece(writing.heading(request), 0)
    if statement is None:
        yield heading
        return
    async with (
        _connected(request) as connection,
        connection.cursor() as cursor,
        cursor.copy(*statement) as copy,
    ):
        yield heading
        while rows := await connection.wait(_several(copy)):
            yield Piece(writing.body(request, rows), len(rows))


def _several(copy: AsyncCopy) -> "PQGen[list[bytes]]":
    """Read the next rows together: the public method reads one at a time and takes three times as long."""
    rows: list[bytes] = []
    while len(rows) < ROWS_PER_PIECE and (row := (yield from copy._read_gen())):
        rows.append(bytes(row))
    return rows


@sync_to_async
def release_connection() -> None:
    """Return the connection of the current HTTP request to the pool, where others wait for it."""
    database.close()


@asynccontextmanager
async def _connected(request: ExportRequest) -> "AsyncIterator[AsyncConnection[tuple[object, ...]]]":
    options = parameters() | {"application_name": "sift_dashboard export"}
    connection = await AsyncConnection.connect(**options)
    try:
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        for name, value in (("TimeZone", request.zone), ("work_mem", WORK_MEM)):
            await connection.execute("SELECT set_config(%s, %s, false)", [name, value])
        yield connection
    finally:
        await connection.close()
