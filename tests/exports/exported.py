"""The file that an export is, read over the test's own connection, whose transaction it is to see."""

from typing import Any

from django.db import connection as database
from django.db import transaction

from connections_app.exports import copying, writing
from connections_app.exports.writing import COLUMNS, ExportRequest, Format

EVERY = [column.name for column in COLUMNS]


def written(
    query: str = "",
    format: Format = Format.CSV,
    zone: str = "Europe/Berlin",
    columns: list[str] = EVERY,
) -> bytes:
    """The whole file."""
    asked = ExportRequest(query, format, columns, zone)
    file = writing.heading(asked)
    wanted = writing.statement(asked)
    if wanted is None:
        return file
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [asked.zone])
        with cursor.copy(*wanted) as copy:
            lines = [bytes(row) for row in copy]
        # Django takes each time it reads for one in UTC.
        cursor.execute("SELECT set_config('TimeZone', 'UTC', true)")
    return file + writing.body(asked, lines)


async def body_of(answer: Any) -> bytes:
    """What an asynchronous client's answer carries; the connection that its view had is let go."""
    try:
        if not answer.streaming:
            return bytes(answer.content)
        return b"".join([piece async for piece in answer.streaming_content])
    finally:
        await copying.release_connection()
