"""The role that the dashboard works with can add to the audit log, and change or remove nothing in it."""

from collections.abc import Iterator

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection as database
from psycopg.errors import InsufficientPrivilege

from connections_app.audit.log import record
from connections_app.engines import rights
from connections_app.models import Action, Verb
from tests.conftest import database_url
from tests.factories import seen

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

ADD = """
    INSERT INTO connections_app_action (at, verb, phase, actor, connection_id, subject, payload, outcome)
    VALUES (now() - interval '31 days', 'push', 'intent', 'ana', '', '', '{}', '')
"""


@pytest.fixture
def role() -> Iterator[str]:
    """The URL of the database for a role that `prepare` gave the dashboard's rights."""
    name = f"{database.settings_dict['NAME']}_working"
    with database.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {name} LOGIN")
    rights.grant(name)
    yield database_url().replace("user=postgres", f"user={name}")
    with database.cursor() as cursor:
        cursor.execute(f"DROP OWNED BY {name}")
        cursor.execute(f"DROP ROLE {name}")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE connections_app_action SET actor = 'ben'",
        "DELETE FROM connections_app_action",
        "TRUNCATE connections_app_action",
        "DROP TABLE connections_app_action",
        "DROP TABLE connections_app_action CASCADE",
        "ALTER TABLE connections_app_action DISABLE TRIGGER ALL",
        "ALTER TABLE connections_app_action OWNER TO CURRENT_USER",
        "SET sift.purge = 'on'; DELETE FROM connections_app_action",
        "CREATE OR REPLACE FUNCTION connections_app_purge_actions(older_than_days integer) RETURNS text"
        " LANGUAGE sql AS $$ SELECT 'nothing' $$",
        "SET session_replication_role = 'replica'",
        "SET ROLE postgres",
    ],
)
def test_nothing_is_changed_or_removed(role: str, statement: str) -> None:
    record(Verb.PUSH, Action.Phase.INTENT, None)
    with psycopg.connect(role) as working, pytest.raises(InsufficientPrivilege):
        working.execute(statement)
    assert Action.objects.count() == 1


def test_all_the_rest_works(role: str) -> None:
    seen({"connection_id": "a1", "status": "connected"})
    with psycopg.connect(role) as working:
        working.execute(ADD)
        working.execute("UPDATE connections_app_connection SET client_data = '{}'")
        working.execute("DELETE FROM connections_app_walk")
        working.execute("SELECT nextval('connections_app_change')")
        row = working.execute("SELECT connections_app_purge_actions(30)").fetchone()
        assert row is not None
        assert row[0].startswith("1 actions from before")
    assert Action.objects.get().verb == Verb.PURGE


def test_it_does_not_keep_less_than_is_promised(role: str) -> None:
    with psycopg.connect(role) as working:
        working.execute(ADD)
        working.commit()
        with pytest.raises(psycopg.errors.RaiseException, match="at least 30 days"):
            working.execute("SELECT connections_app_purge_actions(0)")
    call_command("purge_actions", "--older-than", "30")
