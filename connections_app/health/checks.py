"""Check whether this process can do its work."""

from dataclasses import dataclass

import redis
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor

from connections_app.engines import valkey
from connections_app.engines.database import server
from connections_app.engines.limits import TimeLimit, limited
from sift_dashboard.broker import REFUSALS, broker_problem
from sift_dashboard.celery import app as celery

DATABASE_SECONDS = 0.9
VALKEY_SECONDS = 0.4  # with the broker's half second, within the limit of /readyz


@dataclass(frozen=True, slots=True)
class Readiness:
    """`ready` is False without a migrated database; `words` state why, or what is degraded."""

    ready: bool
    words: str


def readiness() -> Readiness:
    """Return whether this process can do its work. It can without Valkey, but degraded."""
    if problem := database_problem():
        return Readiness(False, problem)
    if problem := valkey_problem():
        return Readiness(True, f"degraded: {problem}")
    return Readiness(True, "ready")


def database_problem() -> str:
    """Return why the database cannot be used; empty if it can. Uses a connection that pages cannot take."""
    if server.is_open:
        return "the database cannot be reached"
    try:
        with limited(TimeLimit(DATABASE_SECONDS), reserved=True):
            executor = MigrationExecutor(connection)
            missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except (DatabaseError, InterfaceError):
        return "the database cannot be reached"
    return f"{len(missing)} migrations are missing" if missing else ""


def valkey_problem() -> str:
    """Return why Valkey cannot be used, by us or by Celery with its own form of the URL; empty if it can."""
    try:
        with valkey.client(VALKEY_SECONDS) as client:
            client.ping()
    except REFUSALS as refusal:
        return f"Valkey refuses the connection ({refusal})"
    except redis.RedisError:
        return "Valkey cannot be reached"
    problem = broker_problem(celery)
    return f"Celery cannot use the broker ({problem})" if problem else ""
