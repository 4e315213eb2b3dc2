"""The only way in which observations become rows of connections: merge them and announce the changes.

The merging rule is here, as SQL. Status goes connecting < connected < failed < finished and never back; of
two start or end times the later stays; any other field keeps the first value known; an absent value erases
nothing. So observations may arrive in any order, late, and repeatedly.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection as database
from django.db import transaction

from connections_app.calls.notify import announce
from connections_app.models import Connection, Doubt, Source
from connections_app.models.connection import IN_PROGRESS
from connections_app.sift.payloads import Observation

RANK = "array_position(ARRAY['connecting', 'connected', 'failed', 'finished'], {0}.status::text)"

# The value of each field after merging the stored row (known) with the observation (seen).
MERGED = {
    "status": "CASE WHEN "
    + RANK.format("{seen}")
    + " > "
    + RANK.format("known")
    + " THEN {seen}.status ELSE known.status END",
    "started_at": "greatest(known.started_at, {seen}.started_at)",
    "ended_at": "greatest(known.ended_at, {seen}.ended_at)",
    "direction": "coalesce(known.direction, {seen}.direction)",
    "from_endpoint": "coalesce(known.from_endpoint, {seen}.from_endpoint)",
    "to_endpoint": "coalesce(known.to_endpoint, {seen}.to_endpoint)",
    "client_data": "coalesce(known.client_data, {seen}.client_data)",
    "doubt": "''",
}


def _changes_something(seen: str) -> str:
    merged = ", ".join(rule.format(seen=seen) for rule in MERGED.values())
    known = ", ".join(f"known.{field}" for field in MERGED)
    return f"({merged}) IS DISTINCT FROM ({known})"


def _person_at(end: str) -> str:
    """Return the SQL for the key of the person whose browser client is at an end.

    For a number it costs one comparison.
    """
    return f"""(
        SELECT min(id) FROM connections_app_operator
        WHERE lower(client_name) = lower(btrim(substr({end}, 8))) AND {end} ILIKE 'webrtc:%%'
    )"""  # noqa: S608


# A read filters out unchanged rows, since ON CONFLICT would lock, and so write, each of them. Its own WHERE
# repeats the test for rows that another writer changed in between.
MERGE = f"""
    INSERT INTO connections_app_connection AS known
        (connection_id, status, direction, started_at, ended_at, from_endpoint, to_endpoint, client_data,
         raw, operator_id, doubt, first_seen_at, first_source, changed_at, change_source, change_number)
    SELECT seen.connection_id, seen.status, seen.direction, seen.started_at, seen.ended_at,
           seen.from_endpoint, seen.to_endpoint, seen.client_data, seen.raw,
           coalesce({_person_at("seen.from_endpoint")}, {_person_at("seen.to_endpoint")}), '',
           clock_timestamp(), %(source)s, clock_timestamp(), %(source)s, nextval('connections_app_change')
    FROM json_to_recordset(%(rows)s::json) AS seen
        (connection_id varchar, status varchar, direction varchar, started_at timestamptz,
         ended_at timestamptz, from_endpoint varchar, to_endpoint varchar, client_data jsonb, raw jsonb)
    LEFT JOIN connections_app_connection AS known USING (connection_id)
    WHERE known.id IS NULL OR {_changes_something("seen")}
    ORDER BY seen.connection_id
    ON CONFLICT (connection_id) DO UPDATE SET
        {", ".join(f"{field} = {rule.format(seen='excluded')}" for field, rule in MERGED.items())},
        raw = excluded.raw,
        changed_at = excluded.changed_at,
        change_source = excluded.change_source,
        change_number = excluded.change_number
    WHERE {_changes_something("excluded")}
    RETURNING known.id, known.xmax = 0, known.status
"""  # noqa: S608

# Part of the merge statement, since callbacks may run few. Noted on the latest walk that is not locked, so
# that nothing waits. The texts of the first twenty are kept; all are counted.
NOTE_ODDITIES = """
    WITH noted AS (
        UPDATE connections_app_walk SET
            odd_values = odd_values + jsonb_array_length(%(odd)s::jsonb),
            oddities = jsonb_path_query_array(oddities || %(odd)s::jsonb, '$[0 to 19]')
        WHERE id = (SELECT id FROM connections_app_walk ORDER BY id DESC LIMIT 1 FOR UPDATE SKIP LOCKED)
    )
"""

DOUBT = """
    UPDATE connections_app_connection
    SET doubt = %(doubt)s, changed_at = clock_timestamp(), change_source = %(source)s,
        change_number = nextval('connections_app_change')
    WHERE id = %(id)s AND doubt NOT IN (%(doubt)s, 'lost') AND status IN ('connecting', 'connected')
"""


@dataclass(frozen=True, slots=True)
class Changes:
    """Primary keys of the connections that were created and of those that changed."""

    created: tuple[int, ...] = ()
    updated: tuple[int, ...] = ()


def ingest(observations: Iterable[Observation], source: Source) -> Changes:
    """Merge `observations` into the connections, in one transaction, and announce the changes after it.

    Observations of the same connection are merged in the order given. Unchanged rows are not written. Values
    that could not be parsed are noted on the latest walk. Source: "Merging" in docs/architecture.md.
    """
    created: list[int] = []
    updated: list[int] = []
    begun: list[int] = []
    with transaction.atomic(savepoint=False), database.cursor() as cursor:
        for batch in _each_connection_once(observations):
            rows = f"[{','.join(one.encoded for one in batch)}]"
            values = {"rows": rows, "source": source.value}
            if odd := _oddities(batch, source):
                cursor.execute(NOTE_ODDITIES + MERGE, values | {"odd": json.dumps(odd)})
            else:
                cursor.execute(MERGE, values)
            for pk, is_new, status in cursor.fetchall():
                (created if is_new else updated).append(pk)
                if is_new and status in IN_PROGRESS:
                    begun.append(pk)
        # A new call that is already over is on nobody's screen.
        if begun or updated:
            announce([*begun, *updated])
    return Changes(tuple(created), tuple(updated))


def doubt(connection: Connection, doubt: Doubt, source: Source) -> None:
    """Mark a call in progress as no longer confirmed by Sift; the next observation of it clears the mark."""
    with database.cursor() as cursor:
        cursor.execute(DOUBT, {"doubt": doubt.value, "source": source.value, "id": connection.pk})
        if cursor.rowcount:
            announce([connection.pk])


def _oddities(batch: Sequence[Observation], source: Source) -> list[str]:
    """Return the values that could not be parsed, each with its call, and with its source if not the list."""
    where = "" if source == Source.LIST else f" ({source.label})"
    return [f"{one.connection_id}: {oddity}{where}" for one in batch for oddity in one.oddities]


def _each_connection_once(observations: Iterable[Observation]) -> Iterable[Sequence[Observation]]:
    """Yield batches without duplicate connections, since one statement cannot merge a row twice."""
    batch: dict[str, Observation] = {}
    again: list[Observation] = []
    for observation in observations:
        if batch.setdefault(observation.connection_id, observation) is not observation:
            again.append(observation)
    if batch:
        yield tuple(batch.values())
        yield from _each_connection_once(again)
