"""Can this process do its work?"""

from dataclasses import dataclass

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

VALKEY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Readiness:
    """`ready` is False without a migrated database; `words` say why, or what is degraded."""

    ready: bool
    words: str


def readiness() -> Readiness:
    if problem := database_problem():
        return Readiness(False, problem)
    if problem := valkey_problem():
        return Readiness(True, f"degraded: {problem}")
    return Readiness(True, "ready")


def database_problem() -> str:
    """Why the database cannot be used; empty when it can."""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return "the database cannot be reached"
    return f"{len(missing)} migrations are missing" if missing else ""


def valkey_problem() -> str:
    """Why Valkey cannot be used; empty when it can."""
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=VALKEY_SECONDS,
            socket_connect_timeout=VALKEY_SECONDS,
        ) as valkey:
            valkey.ping()
    except redis.RedisError:
        return "Valkey cannot be reached"
    return ""
