"""Check that the database has the tables that this version of the code needs.

`connections_app/migrations/schema.json` lists what an empty database contains after all migrations;
`script/manage describe_schema` writes it, and a test compares it with the migrations.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import Any

import psycopg
from django.db import OperationalError, connection, transaction

from connections_app.engines.database import parameters

APP = "connections_app"
FILE = Path(__file__).resolve().parent.parent / "migrations" / "schema.json"
PREPARE = "Start with script/run, or prepare it: script/manage prepare"
LOCK_KEY = 5_139_022_771  # any number that never changes
LOCK_PAUSE_SECONDS = 0.2  # between two attempts to take the lock

# The parts of our tables, each with a unique name. Indexes of constraints come with the constraints.
PARTS = r"""
    WITH ours AS (
        SELECT oid, relname FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
            AND relname LIKE 'connections\_app\_%'
    )
    SELECT 'columns', format('%s.%s', relname, attname),
           format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
    FROM ours JOIN pg_attribute ON attrelid = ours.oid AND attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT 'constraints', conname, relname
    FROM ours JOIN pg_constraint ON conrelid = ours.oid AND contype <> 'n'
    UNION ALL
    SELECT 'triggers', tgname, relname FROM ours JOIN pg_trigger ON tgrelid = ours.oid AND NOT tgisinternal
    UNION ALL
    SELECT 'indexes', own.relname, replace(pg_get_indexdef(own.oid), current_schema() || '.', '')
    FROM ours JOIN pg_index ON indrelid = ours.oid AND indisvalid JOIN pg_class AS own ON own.oid = indexrelid
    WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""


class SchemaMismatch(Exception):
    """This version must not use the database; `str()` states why, and what to do."""


def check_version() -> None:
    """Raise `SchemaMismatch` unless exactly this version's migrations were applied. Two queries."""
    applied, known = _applied(), _known()
    if not applied:
        raise SchemaMismatch(f"The database has not been prepared yet. {PREPARE}")
    if missing := sorted(known - applied):
        raise SchemaMismatch(
            f"The database is older than this version: {', '.join(missing)} is missing. {PREPARE}"
        )
    _refuse(applied - known)


def check_not_newer() -> None:
    """Raise `SchemaMismatch` if a newer version has changed the database. Two queries."""
    _refuse(_applied() - _known())


def _refuse(newer: set[str]) -> None:
    if newer:
        raise SchemaMismatch(
            f"The database belongs to a newer version of the dashboard ({', '.join(sorted(newer))}), and "
            "this one would damage it. Start the newer version, or restore a backup from before it."
        )


def refuse_newer() -> None:
    """Raise `SchemaMismatch` if a newer version has changed the database; for a process that starts.

    A database that does not answer is accepted: it may come back unchanged.
    """
    try:
        check_not_newer()
    except OperationalError:
        return
    finally:
        connection.close()


def repair() -> list[str]:
    """Create the missing indexes, and return their names.

    Raises `SchemaMismatch` if anything else is missing or different.
    """
    expected, found = json.loads(FILE.read_text()), parts()
    missing = [
        f"{kind.removesuffix('s')} {name}"
        for kind in ("columns", "constraints", "triggers")
        for name, what in expected[kind].items()
        if found[kind].get(name) != what
    ]
    if missing:
        raise SchemaMismatch(
            "The database differs from what its migrations make: "
            f"{', '.join(missing[:5])}{f' and {len(missing) - 5} more' if len(missing) > 5 else ''} "
            "missing or different. It may have been made by an unfinished version: restore a backup, or "
            "start with an empty database."
        )
    lacking = {name: made for name, made in expected["indexes"].items() if name not in found["indexes"]}
    with transaction.atomic(), connection.cursor() as cursor:
        for name, made in lacking.items():
            cursor.execute(f'DROP INDEX IF EXISTS "{name}"')
            cursor.execute(made)
    return sorted(lacking)


def parts() -> dict[str, dict[str, str]]:
    """Return the parts of our tables: by kind, each part's name and definition. One query."""
    found: dict[str, dict[str, str]] = {"columns": {}, "constraints": {}, "triggers": {}, "indexes": {}}
    with connection.cursor() as cursor:
        cursor.execute(PARTS)
        for kind, name, what in cursor.fetchall():
            found[kind][name] = what
    return found


@contextmanager
def preparation_lock() -> Iterator[None]:
    """Wait until no other process prepares this database, and make others wait until the block ends."""
    with psycopg.connect(**parameters(), autocommit=True) as lock:
        # CREATE INDEX CONCURRENTLY would wait for a session that waits inside pg_advisory_lock.
        while not _is_taken(lock):
            sleep(LOCK_PAUSE_SECONDS)
        yield


def _is_taken(lock: psycopg.Connection[Any]) -> bool:
    """Try to take the advisory lock. Returns True if it was free."""
    row = lock.execute("SELECT pg_try_advisory_lock(%s)", [LOCK_KEY]).fetchone()
    return bool(row and row[0])


def _applied() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('django_migrations') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return set()
        cursor.execute("SELECT name FROM django_migrations WHERE app = %s", [APP])
        return {name for (name,) in cursor.fetchall()}


def _known() -> set[str]:
    return {file.stem for file in FILE.parent.glob("[0-9]*.py")}
