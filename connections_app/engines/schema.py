"""Whether the database has the tables that this version of the code works with.

`connections_app/migrations/schema.json` says what a database has once every migration was applied to an
empty one; `script/manage describe_schema` writes it, and a test compares it with the migrations.
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
# Any number that is always the same.
PREPARING = 5_139_022_771
LOCK_PAUSE = 0.2  # seconds between two tries to take the lock of preparing

# What our tables consist of, each part under a name that is its own. Indexes of constraints come with these.
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
    """The database must not be used by this version; `str()` says why, and what to do."""


def check_version() -> None:
    """Raises `SchemaMismatch` unless exactly this version's migrations were applied. Two queries."""
    applied, known = _applied(), _known()
    if not applied:
        raise SchemaMismatch(f"The database has not been prepared yet. {PREPARE}")
    if missing := sorted(known - applied):
        raise SchemaMismatch(
            f"The database is older than this version: {', '.join(missing)} is missing. {PREPARE}"
        )
    _refuse(applied - known)


def check_not_newer() -> None:
    """Raises `SchemaMismatch` for a database that a newer version has changed. Two queries."""
    _refuse(_applied() - _known())


def _refuse(newer: set[str]) -> None:
    if newer:
        raise SchemaMismatch(
            f"The database belongs to a newer version of the dashboard ({', '.join(sorted(newer))}), and "
            "this one would damage it. Start the newer version, or restore a backup from before it."
        )


def refuse_newer() -> None:
    """Raises `SchemaMismatch` as a process starts on a newer database.

    One that is away may come back as it was.
    """
    try:
        check_not_newer()
    except OperationalError:
        return
    finally:
        connection.close()


def repair() -> list[str]:
    """Make the indexes that are missing, and return their names.

    Raises `SchemaMismatch` where anything else is.
    """
    wanted, found = json.loads(FILE.read_text()), parts()
    missing = [
        f"{kind.removesuffix('s')} {name}"
        for kind in ("columns", "constraints", "triggers")
        for name, what in wanted[kind].items()
        if found[kind].get(name) != what
    ]
    if missing:
        raise SchemaMismatch(
            "The database differs from what its migrations make: "
            f"{', '.join(missing[:5])}{f' and {len(missing) - 5} more' if len(missing) > 5 else ''} "
            "missing or different. It may have been made by an unfinished version: restore a backup, or "
            "start with an empty database."
        )
    lacking = {name: made for name, made in wanted["indexes"].items() if name not in found["indexes"]}
    with transaction.atomic(), connection.cursor() as cursor:
        for name, made in lacking.items():
            cursor.execute(f'DROP INDEX IF EXISTS "{name}"')
            cursor.execute(made)
    return sorted(lacking)


def parts() -> dict[str, dict[str, str]]:
    """Return what our tables consist of: by kind, each part's name and what it is. One query."""
    found: dict[str, dict[str, str]] = {"columns": {}, "constraints": {}, "triggers": {}, "indexes": {}}
    with connection.cursor() as cursor:
        cursor.execute(PARTS)
        for kind, name, what in cursor.fetchall():
            found[kind][name] = what
    return found


@contextmanager
def prepared_by_one() -> Iterator[None]:
    """Wait until nobody else prepares this database, and have others wait until the block ends."""
    with psycopg.connect(**parameters(), autocommit=True) as lock:
        # A session that waits inside pg_advisory_lock would have CREATE INDEX CONCURRENTLY wait for it in
        # turn.
        while not _is_taken(lock):
            sleep(LOCK_PAUSE)
        yield


def _is_taken(lock: psycopg.Connection[Any]) -> bool:
    """Take the advisory lock, and return whether it was free."""
    row = lock.execute("SELECT pg_try_advisory_lock(%s)", [PREPARING]).fetchone()
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
