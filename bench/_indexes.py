"""Measure what each index over the calls costs: its size, and the time that it adds to a new call."""

import statistics
import time
from dataclasses import dataclass

from bench._plans import TABLE

ROWS, BATCH, ROUNDS = 10_000, 1_000, 5
# Without unique indexes, which the upsert needs.
INDEXES = f"""
    SELECT indexrelid::regclass::text, pg_relation_size(indexrelid) / 1000000.0,
        amname = 'gin' FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    JOIN pg_am ON pg_am.oid = relam
    WHERE indrelid = '{TABLE}'::regclass AND NOT indisunique ORDER BY 1
"""  # noqa: S608


class RolledBack(Exception):
    """Ends a trial, so that its transaction is rolled back."""


@dataclass(frozen=True)
class Cost:
    """An index, its size, and the microseconds that a new call takes less without it."""

    name: str
    megabytes: float
    microseconds: float


def costs() -> list[Cost]:
    """Return the cost of each index: the median of ROUNDS, with the pending lists of GIN indexes included."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(INDEXES)
        indexes = cursor.fetchall()
    gin_indexes = [name for name, _, is_gin in indexes if is_gin]
    saved: dict[str, list[float]] = {name: [] for name, _, _ in indexes}
    for number in range(ROUNDS):
        for place, (name, _, _) in enumerate(indexes):
            first = (number * len(indexes) + place) * 2 * ROWS
            whole = ingest_time(first, "", gin_indexes)
            saved[name].append(whole - ingest_time(first + ROWS, name, gin_indexes))
    return [Cost(name, float(size), statistics.median(saved[name])) for name, size, _ in indexes]


def ingest_time(first: int, without: str, gin_indexes: list[str]) -> float:
    """Return the microseconds that a new call takes on average, without the index `without`."""
    from django.db import connection, transaction

    from bench._new_calls import new_call
    from connections_app.calls.ingest import ingest
    from connections_app.models import Source
    from connections_app.sift.payloads import Observation, parse_connection

    parsed = [parse_connection(new_call(number)) for number in range(first, first + ROWS)]
    calls = [one for one in parsed if isinstance(one, Observation)]
    took = 0.0
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            if without:
                cursor.execute(f"DROP INDEX {without}")
            began = time.perf_counter()
            for start in range(0, ROWS, BATCH):
                ingest(calls[start : start + BATCH], Source.LIST)
            for name in gin_indexes:
                if name != without:
                    cursor.execute("SELECT gin_clean_pending_list(%s::regclass)", [name])
            took = time.perf_counter() - began
            raise RolledBack
    except RolledBack:
        return took / ROWS * 1e6


def as_table(found: list[Cost]) -> str:
    """Return the costs as a Markdown table."""
    lines = [f"| `{one.name}` | {one.megabytes:.0f} MB | {one.microseconds:.1f} µs |" for one in found]
    return "\n".join(["| index | size | a new call |", "| --- | --- | --- |", *lines])
