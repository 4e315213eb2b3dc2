"""What the tests share: the sandbox as a real process over HTTP, and people who sign in."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch
from urllib.parse import quote, urlencode

import pytest
import requests
from django.conf import LazySettings
from django.contrib.auth.models import Group
from django.db import OperationalError, transaction
from django.db import connection as database
from django.db.backends.base.creation import BaseDatabaseCreation
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test import Client, override_settings
from playwright.sync_api import Browser, sync_playwright
from pytest_django import DjangoDbBlocker

from connections_app.models import Connection, Operator, Role
from connections_app.people.hashing import Argon2Hasher, PBKDF2Hasher
from launch.engine_folders import make_folder
from launch.postgres import Postgres
from launch.valkey import Valkey

ACCOUNT, TOKEN = "tests", "tests-token"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
Calls = list[dict[str, Any]]
Made = TypeVar("Made")


@dataclass
class Sandbox:
    """A running sandbox: Sift's face at `url`, and the test face below `base`."""

    base: str
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def url(self) -> str:
        return f"{self.base}/v0"

    def faults(self, *faults: dict[str, Any]) -> None:
        self._send("PUT", "faults", list(faults))

    def configure(self, **settings: Any) -> None:
        self._send("PUT", "settings", settings)

    def add(self, *calls: Any, count: int = 0) -> Calls:
        return list(self._send("POST", "calls", {"calls": list(calls), "count": count})["calls"])

    def change(self, connection_id: str, **fields: Any) -> None:
        self._send("PATCH", f"calls/{connection_id}", fields)

    def forget(self, connection_id: str) -> None:
        self._send("DELETE", f"calls/{connection_id}")

    def ids(self) -> set[str]:
        return set(self.oldest_first())

    def oldest_first(self) -> list[str]:
        """The ids of all calls that Sift knows."""
        return list(self._send("GET", "ids")["ids"])

    def log(self) -> list[dict[str, Any]]:
        return list(self._send("GET", "log")["log"])

    def creates(self) -> list[dict[str, Any]]:
        """The bodies of all creates that reached Sift, also those that a fault kept from making a call."""
        return self._posted(lambda path: path == "/v0/connections")

    def routines_set(self, connection_id: str) -> list[dict[str, Any]]:
        """The bodies of all sets of a routine for this call that reached Sift."""
        return self._posted(lambda path: path == f"/v0/connections/{connection_id}")

    def call(self, connection_id: str) -> dict[str, Any]:
        """`connection`, `made_by`, `running` (a command's name), `routines` handed, ids `dialled`."""
        return dict(self._send("GET", f"calls/{connection_id}"))

    def callbacks(self, connection_id: str = "") -> list[dict[str, Any]]:
        """What Sift sent, of one call or of all, and how it was answered."""
        sent = self._send("GET", "callbacks")["callbacks"]
        return [one for one in sent if connection_id in ("", one["connection_id"])]

    def incoming(self, from_: str = "+14155550123", **fields: Any) -> str:
        """Somebody calls in, by number or from webrtc:NAME; the call's id."""
        return str(self._send("POST", "incoming", {"from": from_} | fields)["connection_id"])

    def keys(self, connection_id: str, digits: str) -> None:
        self._send("POST", f"calls/{connection_id}/keys", {"digits": digits})

    def says(self, connection_id: str, value: Any, **more: Any) -> None:
        self._send("POST", f"calls/{connection_id}/says", {"value": value} | more)

    def person_hangs_up(self, connection_id: str) -> None:
        self._send("POST", f"calls/{connection_id}/hang_up")

    def _posted(self, is_there: Callable[[str], bool]) -> list[dict[str, Any]]:
        entries = [entry for entry in self.log() if entry["method"] == "POST" and is_there(entry["path"])]
        return [json.loads(entry["body"]) for entry in entries]

    def _send(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.session.request(method, f"{self.base}/_sandbox/{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """Passwords that the tests set cost one round of the cheaper hash; a web process reads them too."""
    cheap = ["connections_app.people.hashing.PBKDF2Hasher", "connections_app.people.hashing.Argon2Hasher"]
    with (
        override_settings(PASSWORD_HASHERS=cheap),
        patch.object(PBKDF2Hasher, "iterations", 1),
        patch.object(Argon2Hasher, "time_cost", 1),
        patch.object(Argon2Hasher, "memory_cost", 8),
    ):
        yield


@contextmanager
def running_sandbox(*options: str) -> Iterator[Sandbox]:
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--account", ACCOUNT, *options]
    environment = os.environ | {"SANDBOX_TOKEN": TOKEN}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            yield Sandbox(line.split(" on ")[1].strip().removesuffix("/v0"))
        finally:
            # It takes its time to end, which only one that keeps its calls needs.
            (process.terminate if "--state" in options else process.kill)()


@pytest.fixture(scope="session")
def django_db_setup(browser_first: None, django_db_setup: None) -> None:
    """The test database, made in the context in which the tests then run."""


@pytest.fixture(scope="session", autouse=True)
def _as_made_after_tests(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Brings the tables back to what migrations made of them, after each test that commits.

    To truncate forty tables and to save each group and permission anew takes ten times as long. Whoever waits
    for a late answer of Sift's writes it down first.
    """
    with django_db_blocker.unblock():
        back_to_start = statement_back_to_start()
    database.close()

    def restore(operations: DatabaseOperations, statements: list[str]) -> None:
        wait_until(lambda: not any(thread.name == "sift-post" for thread in threading.enumerate()))
        for attempts_left in reversed(range(5)):
            try:
                with transaction.atomic(), database.cursor() as cursor:
                    cursor.execute(back_to_start)
            except OperationalError:  # A deadlock with a web process that goes on writing.
                if not attempts_left:
                    raise
            else:
                return

    with (
        patch.object(DatabaseOperations, "execute_sql_flush", restore),
        patch.object(BaseDatabaseCreation, "deserialize_db_from_string"),
    ):
        yield


def statement_back_to_start() -> str:
    """Copies all rows that there are now into a schema of their own; what makes the tables hold just these.

    It waits for whoever writes still. It passes the triggers, which keep everyone else from such things; that
    takes a superuser, as whom the private server is used.
    """
    tables = sorted(database.introspection.django_table_names(only_existing=True, include_views=False))
    back = [f"LOCK TABLE {', '.join(tables)}", "SET LOCAL session_replication_role = replica"]
    back += [f"DELETE FROM {table}" for table in tables]  # noqa: S608 - names of our own
    with database.cursor() as cursor:
        cursor.execute("CREATE SCHEMA as_made")
        for table in tables:
            cursor.execute(f"CREATE TABLE as_made.{table} AS TABLE {table}")
            cursor.execute(f"SELECT FROM {table} LIMIT 1")
            if cursor.fetchone() is not None:
                back.append(f"INSERT INTO {table} TABLE as_made.{table}")
    return "; ".join(back)


@pytest.fixture(scope="session", autouse=True)
def _quick_clients() -> Iterator[None]:
    """Each client of a test would list all static files anew, of which none asks for any."""
    with override_settings(WHITENOISE_AUTOREFRESH=True):
        yield


@pytest.fixture(scope="session")
def browser_first(request: pytest.FixtureRequest) -> None:
    """Playwright brings a context of its own, in which Django does not know connections made before."""
    if any(item.get_closest_marker("browser") for item in request.session.items):
        request.getfixturevalue("chromium")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    # Playwright's own event loop runs in this thread, where Django would refuse to use its database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ["CHROMIUM"], args=ARGUMENTS)
        yield browser
        browser.close()


def use(settings: LazySettings, sandbox: Sandbox) -> None:
    """Make `sandbox` the account in the settings."""
    settings.SIFT_API_URL = sandbox.url
    settings.SIFT_ACCOUNT_ID, settings.SIFT_AUTH_TOKEN = ACCOUNT, TOKEN


@pytest.fixture
def make_sandbox(settings: LazySettings) -> Iterator[Callable[..., Sandbox]]:
    """Start a sandbox with options, and make it the account in the settings."""
    running = []

    def make(*options: str) -> Sandbox:
        context = running_sandbox("--rate", "0", *options)
        sandbox = context.__enter__()
        running.append(context)
        use(settings, sandbox)
        return sandbox

    yield make
    for context in running:
        context.__exit__(None, None, None)


@pytest.fixture
def sandbox(make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """500 past calls, newest first, no traffic."""
    return make_sandbox("--calls", "500")


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    """A server that may be stopped and started."""
    with tempfile.TemporaryDirectory(prefix="valkey-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        make_folder(Path(folder, "data"))
        server = Valkey(Path(folder, "data"))
        server.have()
        yield server
        server.stop()


@dataclass
class FreezablePostgres:
    """A PostgreSQL of its own, at `url`, whose processes can be stopped where they are."""

    server: Postgres
    url: str

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Nothing of the server runs meanwhile: it takes connections, and answers nothing."""
        main = self.server.process()
        assert main is not None
        everything = [main, *main.children(recursive=True)]
        try:
            for process in everything:
                process.suspend()
            yield
        finally:
            for process in everything:
                process.resume()


@pytest.fixture
def postgres() -> Iterator[FreezablePostgres]:
    """A server that may be frozen, with an empty database."""
    with tempfile.TemporaryDirectory(prefix="postgres-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        make_folder(Path(folder, "data"))
        server = Postgres(Path(folder, "data"), throw_away=True)
        yield FreezablePostgres(server, server.have())
        server.stop()


def wait_until(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
    """What `condition` returns once it is true; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {condition}"
        time.sleep(0.02)
    return found


def alone(act: Callable[..., Any]) -> Callable[..., Any]:
    """`act` for a thread of its own, whose database connection is given back: the pool has few."""

    def act_alone(*given: Any) -> Any:
        try:
            return act(*given)
        finally:
            database.close()

    return act_alone


def in_a_loop(work: Coroutine[Any, Any, Made]) -> Made:
    """What `work` gives, in a thread of its own: Playwright's loop may run in the test's."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@pytest.fixture
def make_operator(db: None) -> Callable[..., Operator]:
    def make(name: str = "ana", role: Role = Role.OPERATOR, **fields: Any) -> Operator:
        operator = Operator.objects.create_user(name, password="correct horse", **fields)
        operator.groups.add(Group.objects.get(name=role))
        return operator

    return make


@pytest.fixture
def signed_in(client: Client, make_operator: Callable[..., Operator]) -> Client:
    """A client that is signed in as a viewer, in Berlin."""
    client.force_login(make_operator("viewer", Role.VIEWER, time_zone="Europe/Berlin"))
    return client


def database_url() -> str:
    """The test's own database, for processes that are started beside it."""
    values = database.settings_dict
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    given = {name: str(values[key]) for name, key in names.items() if values[key]}
    return f"postgresql:///{quote(values['NAME'], safe='')}?{urlencode(given, quote_via=quote)}"


def our_ids() -> set[str]:
    return set(Connection.objects.values_list("connection_id", flat=True))


@pytest.fixture
def start_worker() -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    """Start a Celery worker for long work, a process on the test's database; `environment` is added."""
    started: list[subprocess.Popen[bytes]] = []

    def start(**environment: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "celery", "-A", "sift_dashboard", "worker", "-Q", "long", "-c", "2"]
        process = subprocess.Popen(
            [*command, "--pool", "threads", "--loglevel", "warning", "--without-gossip", "--without-mingle"],
            env=on_the_tests_database() | environment,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def on_the_tests_database() -> dict[str, str]:
    """The environment of processes that are started beside the test."""
    return os.environ | {"DATABASE_URL": database_url()}
