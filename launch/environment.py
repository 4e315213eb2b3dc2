"""What every command starts from: the environment with .env, and where data and engines are."""

import os
import secrets
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import psycopg
from django.core.exceptions import ImproperlyConfigured
from psycopg import sql
from psycopg.errors import DuplicateObject

from launch.engine_folders import keep_private
from launch.engine_process import EngineFailed
from launch.engines import engines
from sift_dashboard.environment import Environment, values_in

ROOT = Path(__file__).resolve().parent.parent
SANDBOX_DATABASE = "sift_sandbox"
DATABASE = "sift"
SANDBOX_ACCOUNT = "sandbox"
# The roles on the private server: the owner of the tables, and the one that the dashboard connects as.
OWNER = "postgres"
APPLICATION = "dashboard"
CONNECT_SECONDS = 5


def given() -> dict[str, str]:
    """The environment over .env; what is set to nothing counts as unset, whatever .env says."""
    try:
        from_file = values_in(ROOT / ".env")
    except ImproperlyConfigured as error:
        sys.exit(f"Configuration: {error}")
    return {name: value for name, value in (from_file | dict(os.environ)).items() if value.strip()}


def obey_closed_terminals() -> None:
    """End as by SIGTERM, stopping what was started, when the terminal is closed; not under nohup."""
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))


def data_dir(environment: dict[str, str]) -> Path:
    return (ROOT / environment.get("DATA_DIR", ".data")).resolve()


def has_account(environment: dict[str, str]) -> bool:
    return bool(environment.get("SIFT_ACCOUNT_ID"))


@contextmanager
def ready(environment: dict[str, str], *, throw_away: bool = False) -> Iterator[dict[str, str]]:
    """The environment for the dashboard's own processes, with both engines answering while it is used.

    Exits with one clear line when an engine, or a database for the sandbox's calls, cannot be had.
    """
    folder = data_dir(environment)
    try:
        with engines(folder, environment, throw_away=throw_away) as running:
            keep_private(folder)
            yield environment | {
                "DATABASE_URL": database_url(environment, running.database_url, throw_away=throw_away),
                "REDIS_URL": running.redis_url,
                "SECRET_KEY": environment.get("SECRET_KEY") or kept_secret(folder / "secret_key"),
                "DATA_DIR": str(folder),
                "DJANGO_SETTINGS_MODULE": "sift_dashboard.settings",
                "PYTHONUNBUFFERED": "1",
            }
    except EngineFailed as error:
        sys.exit(str(error))


def database_url(environment: dict[str, str], server: str, *, throw_away: bool = False) -> str:
    """The database to use, made where it is missing; the sandbox's calls have one of their own.

    On the private server the account's database is `sift`, and unless it is to be thrown away, the dashboard
    does not own what is in it. Raises `EngineFailed`.
    """
    if "DATABASE_URL" not in environment:
        own = having(server, DATABASE if has_account(environment) else SANDBOX_DATABASE)
        return own if throw_away else as_application(own)
    problem = "The database that DATABASE_URL names cannot be used"
    try:
        name = Environment(environment).postgresql("DATABASE_URL")["dbname"]
        psycopg.connect(server, connect_timeout=CONNECT_SECONDS).close()
        if has_account(environment):
            return server
        problem = (
            "DATABASE_URL is set but SIFT_ACCOUNT_ID is not, so the sandbox's calls need a database of their "
            "own beside it, and it could not be made"
        )
        return having(server, f"{name}_sandbox")
    except ImproperlyConfigured as error:
        raise EngineFailed(f"Configuration: {error}") from None
    except psycopg.Error as error:
        raise EngineFailed(f"{problem}: {' '.join(str(error).split())}") from None


def as_owner(prepared: dict[str, str]) -> dict[str, str]:
    """The environment for what makes and changes tables, which on the private server another role may not."""
    url = prepared["DATABASE_URL"]
    if not url.endswith(f"&user={APPLICATION}"):
        return prepared
    return prepared | {
        "DATABASE_URL": f"{url.removesuffix(APPLICATION)}{OWNER}",
        "APPLICATION_ROLE": APPLICATION,
    }


def as_application(server: str) -> str:
    """The URL of a database on the private server for the dashboard's own role, made where it is missing."""
    with psycopg.connect(server, autocommit=True) as connection, suppress(DuplicateObject):
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(APPLICATION)))
    return f"{server.removesuffix(OWNER)}{APPLICATION}"


def having(server: str, name: str) -> str:
    """The URL of the database `name` on the same server, made where it is missing."""
    with psycopg.connect(server, autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if not known:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    head, _, query = server.partition("?")
    return head.rpartition("/")[0] + f"/{quote(name, safe='')}" + (f"?{query}" if query else "")


def for_sandbox(environment: dict[str, str], port: int) -> dict[str, str]:
    """The environment, with the sandbox on `port` as the account; the sandbox itself takes it as well."""
    token = kept_secret(Path(environment["DATA_DIR"]) / "sandbox_token")
    return environment | {
        "SIFT_SANDBOX": "1",
        "SIFT_API_URL": f"http://127.0.0.1:{port}/v0",
        "SIFT_ACCOUNT_ID": SANDBOX_ACCOUNT,
        "SIFT_AUTH_TOKEN": token,
        "SANDBOX_TOKEN": token,
    }


def sandbox_command(port: int, folder: Path, *more: str) -> list[str]:
    """The sandbox's command; it keeps its calls in `folder` from start to start."""
    own = ["--account", SANDBOX_ACCOUNT, "--state", str(folder / "sandbox.json")]
    return [sys.executable, "-m", "sandbox", "--port", str(port), *own, *more]


def sandbox_port(folder: Path) -> int:
    """The port that the sandbox had last, when it is free, else another free one; remembered."""
    memory = folder / "sandbox_port"
    last = int(memory.read_text()) if memory.exists() and memory.read_text().isdigit() else 0
    port = last if last and is_free("127.0.0.1", last) else free_port()
    memory.write_text(str(port))
    return port


def is_free(host: str, port: int) -> bool:
    return why_not_listen(host, port) is None


def why_not_listen(host: str, port: int) -> OSError | None:
    """What prevents a server on that address, if anything does."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        return error
    return None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def kept_secret(file: Path) -> str:
    """A random text that is made once and stays in `file`, readable by its owner alone."""
    if not file.exists():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
            new.write(secrets.token_urlsafe(40))
    return file.read_text()
