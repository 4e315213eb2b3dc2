"""The file that an export is, read over the test's own connection, whose transaction it is to see."""

from itertools import islice
from typing import Any

from django.db import connection as database
from django.db import transaction

from connections_app.history.exports import copying, writing
from connections_app.history.exports.writing import COLUMNS, Asked, Format

EVERY = [column.name for column in COLUMNS]


def written(
    query: str = "",
    format: Format = Format.CSV,
    zone: str = "Europe/Berlin",
    batch: int = 0,
    columns: list[str] = EVERY,
) -> bytes:
    """The whole file; with `batch`, cut off after every so many calls and gone on with from there."""
    asked = Asked(query, format, columns, zone)
    file = writing.heading(asked)
    if not batch:
        return file + writing.body(asked, lines(asked))
    place = ""
    while rows := lines(asked, place, batch):
        place, without = writing.parted(asked, rows)
        file += writing.body(asked, without)
    return file


def lines(asked: Asked, place: str | None = None, most: int | None = None) -> list[bytes]:
    wanted = writing.statement(asked, place)
    if wanted is None:
        return []
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [asked.zone])
        with cursor.copy(*wanted) as copy:
            got = [bytes(row) for row in copy]
        # Django takes each time it reads for one in UTC.
        cursor.execute("SELECT set_config('TimeZone', 'UTC', true)")
    return list(islice(got, most))


async def body_of(answer: Any) -> bytes:
    """What an asynchronous client's answer carries; the connection that its view had is let go."""
    try:
        if not answer.streaming:
            return bytes(answer.content)
        return b"".join([piece async for piece in answer.streaming_content])
    finally:
        await copying.let_go()
