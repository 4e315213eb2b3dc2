"""Retrieve calls one by one that the head of Sift's list does not show."""

from collections.abc import Collection, Iterator
from datetime import timedelta
from itertools import chain

from django.db import connection as database
from django.db.models import F, Q
from django.utils import timezone

from connections_app.calls.ingest import Changes, doubt, ingest
from connections_app.calls.unusable_rows import store_unusable
from connections_app.models import Connection, Doubt, Source
from connections_app.models.connection import ConnectionQuerySet
from connections_app.sift.client import SiftClient
from connections_app.sift.errors import ConnectionNotFound
from connections_app.sift.payloads import Observation, Unusable

BUDGET = 30
LOST_AFTER = timedelta(minutes=10)  # Sift first answered that it does not know the call
END_TIME_TRIES = 5  # for a finished call without an end time, with growing pauses

NOTE_READING = """
    INSERT INTO connections_app_reading AS known (connection_id, read_at, times, unknown_since)
    VALUES (%(connection)s, clock_timestamp(), 1, CASE WHEN %(unknown)s THEN clock_timestamp() END)
    ON CONFLICT (connection_id) DO UPDATE SET
        read_at = excluded.read_at,
        times = known.times + 1,
        unknown_since = CASE WHEN %(unknown)s THEN coalesce(known.unknown_since, excluded.unknown_since) END
    RETURNING unknown_since
"""

CLAIM_SECONDS = 30  # then the claim of a process that was killed expires

CLAIM = f"""
    INSERT INTO connections_app_reading AS known (connection_id, read_at, times, asking_since)
    SELECT id, clock_timestamp(), 0, clock_timestamp() FROM unnest(%(connections)s::bigint[]) AS one (id)
    ORDER BY id
    ON CONFLICT (connection_id) DO UPDATE SET asking_since = clock_timestamp()
    WHERE known.asking_since IS NULL
        OR known.asking_since < clock_timestamp() - interval '{CLAIM_SECONDS} seconds'
    RETURNING connection_id
"""  # noqa: S608

RELEASE = """
    UPDATE connections_app_reading SET asking_since = NULL, read_at = clock_timestamp()
    WHERE connection_id = ANY(%s)
"""

PUT_OFF = """
    INSERT INTO connections_app_reading AS known (connection_id, read_at, times)
    VALUES (%(connection)s, clock_timestamp(), 1)
    ON CONFLICT (connection_id) DO UPDATE SET read_at = excluded.read_at, times = known.times + 1
"""


def due(seen: Collection[str], budget: int = BUDGET) -> Iterator[Connection]:
    """Yield at most `budget` connections to retrieve: those in progress that are not `seen` in the list, the
    least recently read first; then finished ones that lack an end time."""
    in_progress = (
        Connection.objects.in_progress()
        .exclude(connection_id__in=seen)
        .exclude(reading__asking_since__gt=timezone.now() - timedelta(seconds=CLAIM_SECONDS))
        .order_by(F("reading__read_at").asc(nulls_first=True), "at", "id")[:budget]
    )
    live = list(in_progress)
    yield from chain(live, _without_end()[: budget - len(live)])


def claim(connections: Collection[int]) -> set[int]:
    """Claim the calls with these keys, so that only one process retrieves each from Sift.

    Returns the keys that were free; `release` ends the claim.
    """
    with database.cursor() as cursor:
        cursor.execute(CLAIM, {"connections": list(connections)})
        return {pk for (pk,) in cursor.fetchall()}


def release(connections: Collection[int]) -> None:
    """End the claim of these calls, which were just retrieved."""
    with database.cursor() as cursor:
        cursor.execute(RELEASE, [list(connections)])


def ask(client: SiftClient, connection: Connection) -> Observation | Unusable | None:
    """Retrieve one call from Sift. Returns None if Sift does not know it."""
    try:
        answer = client.retrieve(connection.connection_id)
    except ConnectionNotFound:
        return None
    if answer.connection_id != connection.connection_id:
        return Unusable(
            answer.payload if isinstance(answer, Unusable) else answer.raw, "Another call was asked for."
        )
    return answer


def settle(connection: Connection, answer: Observation | Unusable | None) -> Changes:
    """Store Sift's answer about `connection` and the time of reading, in the caller's transaction.

    A call that Sift no longer knows is marked as unconfirmed, later as lost; it gets no invented end.
    """
    changes = ingest([answer], Source.RETRIEVE) if isinstance(answer, Observation) else Changes()
    if isinstance(answer, Unusable):
        store_unusable([answer])
    with database.cursor() as cursor:
        cursor.execute(NOTE_READING, {"connection": connection.pk, "unknown": answer is None})
        (unknown_since,) = cursor.fetchone()
    if unknown_since:
        is_lost = timezone.now() - unknown_since >= LOST_AFTER
        doubt(connection, Doubt.LOST if is_lost else Doubt.UNCONFIRMED, Source.RETRIEVE)
    return changes


def put_off(connection: Connection) -> Changes:
    """Record a failed attempt, so that other calls are retrieved before this one."""
    with database.cursor() as cursor:
        cursor.execute(PUT_OFF, {"connection": connection.pk})
    return Changes()


def _without_end() -> ConnectionQuerySet:
    now = timezone.now()
    pauses = [now - timedelta(minutes=2**times) for times in range(1, END_TIME_TRIES)]
    waited = Q(reading=None) | Q(reading__times=0)
    for times, before in enumerate(pauses, start=1):
        waited |= Q(reading__times=times, reading__read_at__lt=before)
    return Connection.objects.without_end().filter(waited).order_by("-id")
