"""The database has the schema that the migrations make, or one line says why the start is refused."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection as database
from redis import Redis

from connections_app import migrations
from connections_app.engines import schema
from connections_app.management.commands.prepare import Command as Prepare
from launch.valkey import Valkey
from tests.conftest import database_url

MIGRATIONS = Path(migrations.__path__[0])
HASHES = Path(__file__).with_name("migrations.sha256")
COMMANDS = ("sync_connections", "callback_urls", "adopt_api_address", "describe_schema")


@contextmanager
def changed(statement: str) -> Iterator[None]:
    """The database after `statement`, within the test's transaction."""
    with database.cursor() as cursor:
        cursor.execute(statement)
    yield


def test_committed_migrations_do_not_change() -> None:
    """A change goes into a migration of its own, whose line is added to the list."""
    made = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in MIGRATIONS.glob("0*.py")}
    kept = dict(line.split()[::-1] for line in HASHES.read_text().splitlines())
    assert made == kept


@pytest.mark.django_db
def test_the_description_is_what_the_migrations_make(capsys: pytest.CaptureFixture[str]) -> None:
    """A new migration changes it: script/manage describe_schema > connections_app/migrations/schema.json"""
    call_command("describe_schema")
    assert json.loads(capsys.readouterr().out) == json.loads(schema.FILE.read_text())


@pytest.mark.django_db
def test_a_missing_index_is_made() -> None:
    before = schema.parts()
    with changed("DROP INDEX action_of_person"):
        assert schema.repair() == ["action_of_person"]
    assert schema.parts() == before
    assert schema.repair() == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("ALTER TABLE connections_app_walk DROP COLUMN oddities", "column connections_app_walk.oddities"),
        ("ALTER TABLE connections_app_walk ALTER error TYPE varchar(9)", "column connections_app_walk.error"),
        ("ALTER TABLE connections_app_walk ALTER error DROP NOT NULL", "column connections_app_walk.error"),
        ("ALTER TABLE connections_app_syncstate DROP CONSTRAINT sync_state_only_one", "sync_state_only_one"),
        ("DROP TABLE connections_app_username", "connections_app_username.name"),
    ],
)
def test_what_else_is_missing_is_named_and_refused(statement: str, named: str) -> None:
    with changed(statement), pytest.raises(schema.SchemaMismatch, match=named):
        schema.repair()


@pytest.mark.django_db
@pytest.mark.parametrize("command", COMMANDS)
def test_a_newer_database_is_refused(command: str) -> None:
    newer = (
        "INSERT INTO django_migrations (app, name, applied) VALUES ('connections_app', '9999_later', now())"
    )
    with changed(newer):
        with pytest.raises(CommandError, match=r"belongs to a newer version of the dashboard \(9999_later\)"):
            call_command(command)
        with pytest.raises(schema.SchemaMismatch):
            Prepare().bring_up_to_date()
        with pytest.raises(schema.SchemaMismatch, match="9999_later"):
            schema.check_not_newer()


@pytest.mark.django_db
@pytest.mark.parametrize("command", COMMANDS)
def test_an_older_database_is_to_be_prepared_first(command: str) -> None:
    older = "DELETE FROM django_migrations WHERE app = 'connections_app' AND name LIKE '0011%'"
    with changed(older), pytest.raises(CommandError, match=r"0011_\w+ is missing. Start with script/run"):
        call_command(command)
    with changed("DROP TABLE django_migrations"), pytest.raises(CommandError, match="not been prepared yet"):
        call_command(command)


@dataclass(frozen=True)
class Empty:
    """An empty database: its URL for the server's owner, and for a role without any right."""

    url: str
    by_guest: str


@pytest.fixture
def empty(django_db_setup: None) -> Iterator[Empty]:
    ours = database_url()
    with psycopg.connect(ours, autocommit=True) as admin:
        name = f"{admin.info.dbname}_empty"
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"DROP ROLE IF EXISTS {name}")
        admin.execute(f"CREATE ROLE {name} LOGIN")
        admin.execute(f"CREATE DATABASE {name}")
        url = ours.replace(f"/{admin.info.dbname}?", f"/{name}?")
        yield Empty(url, url.replace("user=postgres", f"user={name}"))
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        admin.execute(f"DROP ROLE {name}")


def prepare(url: str, **more: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "manage.py", "prepare"],
        env=dict(os.environ) | {"DATABASE_URL": url} | more,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def start(url: str, *command: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        env=dict(os.environ) | {"DATABASE_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize(
    "command",
    [
        ("uvicorn", "sift_dashboard.asgi:application", "--port", "0", "--log-level", "warning"),
        ("celery", "-A", "sift_dashboard", "worker", "-Q", "none", "--pool", "threads"),
        ("celery", "-A", "sift_dashboard", "beat", "--pidfile", "", "--schedule", "{folder}/beat"),
    ],
    ids=["web", "worker", "beat"],
)
def test_no_process_starts_on_a_newer_database(
    empty: Empty, command: tuple[str, ...], tmp_path: Path
) -> None:
    with psycopg.connect(empty.url, autocommit=True) as admin:
        admin.execute("CREATE TABLE django_migrations (app text, name text)")
        admin.execute("INSERT INTO django_migrations VALUES ('connections_app', '9999_later')")
    process = start(empty.url, *(word.format(folder=tmp_path) for word in command))
    said, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "belongs to a newer version of the dashboard (9999_later)" in said
    assert "Traceback" not in said


def test_two_at_once_prepare_a_database_one_after_the_other(empty: Empty) -> None:
    both = [prepare(empty.url), prepare(empty.url)]
    said = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sorted("shown this once" in out for out, _ in said) == [False, True]


def test_without_the_right_to_create_tables_the_error_names_the_right(empty: Empty) -> None:
    _, problem = prepare(empty.by_guest).communicate(timeout=60)
    assert "GRANT CREATE ON SCHEMA public" in problem
    assert len(problem.splitlines()) == 1, problem


def test_without_the_right_to_create_the_extension_the_error_names_it(empty: Empty) -> None:
    with psycopg.connect(empty.url, autocommit=True) as admin:
        admin.execute(f"GRANT CREATE ON SCHEMA public TO {admin.info.dbname}")
    _, problem = prepare(empty.by_guest).communicate(timeout=60)
    assert "CREATE EXTENSION pg_trgm" in problem
    assert len(problem.splitlines()) == 1, problem


def test_a_database_that_was_not_prepared_for_this_role_is_named(empty: Empty) -> None:
    with psycopg.connect(empty.url, autocommit=True) as admin:
        admin.execute("CREATE TABLE django_migrations (app text, name text)")
    said, _ = start(empty.by_guest, "manage", "callback_urls").communicate(timeout=60)
    assert "permission denied for table django_migrations. Start with script/run" in said
    assert len(said.splitlines()) == 1, said


def test_a_broker_that_wants_a_password_is_named(empty: Empty, valkey: Valkey) -> None:
    with valkey.client() as client:
        client.config_set("requirepass", "correct horse")
    _, problem = prepare(empty.url, REDIS_URL=f"unix://{valkey.socket}?db=0").communicate(timeout=60)
    with Redis(unix_socket_path=str(valkey.socket), password="correct horse") as client:
        client.config_set("requirepass", "")
    assert problem.startswith("CommandError: The broker that REDIS_URL names cannot be used: ")
    assert len(problem.splitlines()) == 1, problem
