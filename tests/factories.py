"""Calls for tests, made as Sift's rows or by the database; and what the frame around a page costs."""

from typing import Any

from django.db import connection as database

from connections_app.calls.ingest import ingest
from connections_app.models import Source
from connections_app.sift.payloads import parse_rows

# Session, person, rights (2), sync state, and whether the first walk is running.
FRAME = 6


def seen(*rows: dict[str, Any], source: Source = Source.LIST) -> None:
    observations, unusable = parse_rows([{"status": "finished"} | row for row in rows])
    assert not unusable
    ingest(observations, source)


def many(count: int) -> None:
    seen(
        *(
            {
                "connection_id": f"c{n:04}",
                "status": "failed" if n % 10 == 0 else "finished",
                "start_time": f"2026-05-{1 + n // 60:02}T12:{n % 60:02}:00Z",
                "from": "webrtc:ana" if n % 3 == 0 else f"+1415555{n:04}",
                "to": "+442079460018",
                "direction": "outgoing",
            }
            for n in range(count)
        )
    )


def generated(count: int) -> None:
    """So many calls, made by the database."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO connections_app_connection
                (connection_id, status, direction, started_at, from_endpoint, to_endpoint, raw, doubt,
                 first_seen_at, first_source, changed_at, change_source, change_number)
            SELECT 'g' || n, 'finished', 'outgoing',
                   '2026-05-01T00:00Z'::timestamptz + n * interval '1 second',
                   '+1415555' || lpad((n %% 10000)::text, 4, '0'), '+442079460018', '{}', '',
                   now(), 'list', now(), 'list', nextval('connections_app_change')
            FROM generate_series(1, %s) AS n
            """,
            [count],
        )
