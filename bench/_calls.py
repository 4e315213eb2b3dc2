"""Generate millions of realistic calls in the database, with numbers, people, times, tags and notes.

Everything depends on a call's number only, through `hashint8extended`, so that each run makes the same calls.
Some 3,000 numbers make half of the calls, 400,000 others the rest; one call in ten is with a browser client;
the times cover two years; one call in twelve failed.
"""

from typing import Any

OPERATORS = 40
TAGS = 12

PEOPLE = """
    INSERT INTO connections_app_operator
        (username, first_name, last_name, email, password, is_staff, is_superuser, is_active, date_joined,
         client_name, time_zone, country, theme, hidden_columns)
    SELECT 'operator' || n, 'Operator', n::text, '', '!', false, false, true, now(), 'agent' || n, 'UTC', '',
           'system', '{}'
    FROM generate_series(1, %(operators)s) AS n
"""

# Ids have 16 hex digits, as those of Sift.
CALLS = """
    INSERT INTO connections_app_connection
        (connection_id, status, direction, started_at, ended_at, from_endpoint, to_endpoint, client_data, raw,
         doubt, first_seen_at, first_source, changed_at, change_source, change_number, operator_id)
    SELECT id, status, direction, started_at, ended_at, from_endpoint, to_endpoint, client_data,
           jsonb_build_object('connection_id', id, 'status', status, 'direction', direction,
               'start_time', started_at, 'end_time', ended_at, 'from_endpoint', from_endpoint,
               'to_endpoint', to_endpoint, 'client_data', client_data),
           '', coalesce(started_at, now()), 'list', now(), 'list', n, operator_id
    FROM (
        SELECT n, id, direction, client_data, status, started_at,
            CASE WHEN b / 3 %% 100 < 15 THEN (%(people)s::bigint[])[1 + d %% %(operators)s] END
                AS operator_id,
            CASE WHEN status = 'finished' THEN started_at + make_interval(secs => talked) END AS ended_at,
            CASE WHEN direction = 'outgoing' THEN party ELSE ours END AS from_endpoint,
            CASE WHEN direction = 'outgoing' THEN ours ELSE party END AS to_endpoint
        FROM (
            SELECT n, b, d,
                lpad(to_hex(hashint8extended(n, 1)), 16, '0') AS id,
                CASE WHEN a %% 10000 < 5500 THEN 'incoming' ELSE 'outgoing' END AS direction,
                CASE WHEN n > %(rows)s - 60 THEN 'connected'
                     WHEN b %% 10000 < 830 THEN 'failed' ELSE 'finished' END AS status,
                now() - make_interval(secs => (%(rows)s - n) * (63072000.0 / %(rows)s) + c %% 9000)
                    AS started_at,
                (exp((b / 7 %% 10000) / 10000.0 * 5.2 + 1.5))::integer AS talked,
                CASE WHEN c %% 10 = 0 THEN 'webrtc:agent' || (d %% 60 + 1)
                     ELSE '+1415555' || lpad((d %% 40)::text, 4, '0') END AS ours,
                CASE
                    WHEN e %% 10000 < 5000 THEN '+1'
                        || ('{415,212,312,702,305,617,206,416}'::text[])[1 + (f / 3 %% 3000) %% 8]
                        || 2000000 + (f / 3 %% 3000) * 2657 %% 8000000
                    WHEN e %% 10000 < 9200 THEN '+1'
                        || 201 + f / 11 %% 780 || 2000000 + f / 5 %% 400000 * 19
                    WHEN e %% 10000 < 9600 THEN '+44207' || lpad((f / 3 %% 9000000)::text, 7, '0')
                    WHEN e %% 10000 < 9990 THEN '+4930' || lpad((f / 3 %% 900000)::text, 7, '0')
                    ELSE '+3531' || lpad((f / 3 %% 900000)::text, 7, '0')
                END AS party,
                CASE WHEN e %% 5 = 0 THEN jsonb_build_object('campaign', 'c' || d %% 30) END AS client_data
            FROM (
                SELECT n,
                    abs(hashint8extended(n, 2) / 2) AS a, abs(hashint8extended(n, 3) / 2) AS b,
                    abs(hashint8extended(n, 4) / 2) AS c, abs(hashint8extended(n, 5) / 2) AS d,
                    abs(hashint8extended(n, 6) / 2) AS e, abs(hashint8extended(n, 7) / 2) AS f
                FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
            ) AS drawn
        ) AS told
    ) AS calls
"""

# From one call in twenty down to a few hundred; the last tag is on old calls only, as that of a campaign is.
TAGGED = """
    INSERT INTO connections_app_calltag (connection_id, tag_id, at, tagged_by, tagged_at)
    SELECT call.id, tag.id, call.at, 'bench', now()
    FROM (
        SELECT id, row_number() OVER (ORDER BY id) %% 12 AS n FROM connections_app_tag
    ) AS tag
    CROSS JOIN LATERAL (
        SELECT id, at FROM connections_app_connection AS call
        WHERE CASE WHEN tag.n = 0 THEN id < (SELECT min(id) + %(rows)s / 75 FROM connections_app_connection)
              ELSE abs(hashint8extended(id, 100 + tag.n) / 2) %% 100000 < 10000 / power(2, tag.n) END
    ) AS call
"""

# One call in a hundred has a note.
NOTED = "SELECT id, at FROM connections_app_connection WHERE abs(hashint8extended(id, 200) / 2) % 100 = 0"
# The most frequent numbers are contacts.
KNOWN = """
    SELECT DISTINCT party FROM connections_app_connection
    WHERE id % 1000 = 0 AND starts_with(party, '+') ORDER BY party
"""

OWN_INDEXES = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
    WHERE indrelid = 'connections_app_connection'::regclass
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""
BATCH = 250_000


def make_calls(rows: int) -> None:
    """Fill an empty, migrated database with `rows` calls and related rows; indexes are created after that."""
    from django.db import connection
    from django.utils import timezone

    from connections_app.models import Contact, Note, SyncState, Tag

    with connection.cursor() as cursor:
        cursor.execute(
            "SET synchronous_commit = off; SET maintenance_work_mem = '512MB';"
            " SET max_parallel_maintenance_workers = 2"
        )
        cursor.execute(PEOPLE, {"operators": OPERATORS})
        cursor.execute(
            "SELECT array_agg(id ORDER BY id) FROM connections_app_operator WHERE username LIKE 'operator%'"
        )
        parameters: dict[str, Any] = {"rows": rows, "operators": OPERATORS, "people": cursor.fetchone()[0]}
        cursor.execute(OWN_INDEXES)
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        for first in range(1, rows + 1, BATCH):
            cursor.execute(CALLS, parameters | {"first": first, "last": min(rows, first + BATCH - 1)})
        for _, definition in indexes:
            cursor.execute(definition)
        Tag.objects.bulk_create(Tag(name=f"Tag {n}", made_by="bench") for n in range(1, TAGS + 1))
        cursor.execute(TAGGED, parameters)
        cursor.execute(NOTED)
        notes = [
            Note(connection_id=pk, author_name="bench", text="Asked to be called back.", written_at=at)
            for pk, at in cursor.fetchall()
        ]
        cursor.execute(KNOWN)
        contacts = [
            Contact(endpoint=party, name=f"Customer {number}", changed_by="bench")
            for number, (party,) in enumerate(cursor.fetchall())
        ]
        Note.objects.bulk_create(notes, batch_size=2000)
        Contact.objects.bulk_create(contacts, batch_size=2000)
        SyncState.objects.update(fresh_at=timezone.now())
        cursor.execute("VACUUM ANALYZE")
