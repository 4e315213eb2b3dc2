"""The environment that every command starts with: .env, the folder for data, and the engines."""

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
# Roles on the private server: the owner of the tables, and the role that the dashboard connects as.
OWNER = "postgres"
APPLICATION = "dashboard"
CONNECT_SECONDS = 5


def given() -> dict[str, str]:
    """Return the variables of .env, overridden by the environment, without empty ones.

    An empty variable counts as unset, also if .env sets it.
    """
    try:
        from_file = values_in(ROOT / ".env")
    except ImproperlyConfigured as error:
        sys.exit(f"Configuration: {error}")
    return {name: value for name, value in (from_file | dict(os.environ)).items() if value.strip()}


def end_with_terminal() -> None:
    """Treat a closed terminal as SIGTERM, so that what was started is stopped; not under nohup."""
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))


def data_dir(environment: dict[str, str]) -> Path:
    """Return the absolute path of DATA_DIR, `.data` by default."""
    return (ROOT / environment.get("DATA_DIR", ".data")).resolve()


def has_account(environment: dict[str, str]) -> bool:
    """Return True if a Sift account is configured."""
    return bool(environment.get("SIFT_ACCOUNT_ID"))


@contextmanager
def ready(environment: dict[str, str], *, throw_away: bool = False) -> Iterator[dict[str, str]]:
    """Yield the environment for the dashboard's processes, and keep both engines running meanwhile.

    Exits with one clear line if an engine, or a database for the sandbox's calls, is not available.
    """
    folder = data_dir(environment)
    try:
        with engines(folder, environment, throw_away=throw_away) as running:
            keep_private(folder)
            yield environment | {
                "DATABASE_URL": database_url(environment, running.database_url, throw_away=throw_away),
                "REDIS_URL": running.redis_url,
                "SECRET_KEY": environment.get("SECRET_KEY") or stored_secret(folder / "secret_key"),
                "DATA_DIR": str(folder),
                "DJANGO_SETTINGS_MODULE": "sift_dashboard.settings",
                "PYTHONUNBUFFERED": "1",
            }
    except EngineFailed as error:
        sys.exit(str(error))


def database_url(environment: dict[str, str], server: str, *, throw_away: bool = False) -> str:
    """Return the URL of the database to use, created if missing; the sandbox's calls have a separate one.

    On the private server the account's database is `sift`. The dashboard does not own its tables, unless
    `throw_away` is set. Raises `EngineFailed`.
    """
    if "DATABASE_URL" not in environment:
        own = ensure_database(server, DATABASE if has_account(environment) else SANDBOX_DATABASE)
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
        return ensure_database(server, f"{name}_sandbox")
    except ImproperlyConfigured as error:
        raise EngineFailed(f"Configuration: {error}") from None
    except psycopg.Error as error:
        raise EngineFailed(f"{problem}: {' '.join(str(error).split())}") from None


def as_owner(prepared: dict[str, str]) -> dict[str, str]:
    """Return the environment for commands that change tables: on the private server, as its owner."""
    url = prepared["DATABASE_URL"]
    if not url.endswith(f"&user={APPLICATION}"):
        return prepared
    return prepared | {
        "DATABASE_URL": f"{url.removesuffix(APPLICATION)}{OWNER}",
        "APPLICATION_ROLE": APPLICATION,
    }


def as_application(server: str) -> str:
    """Return `server`, a URL on the private server, for the dashboard's role, which is created if missing."""
    with psycopg.connect(server, autocommit=True) as connection, suppress(DuplicateObject):
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(APPLICATION)))
    return f"{server.removesuffix(OWNER)}{APPLICATION}"


def ensure_database(server: str, name: str) -> str:
    """Return the URL of the database `name` on the same server, created if missing."""
    with psycopg.connect(server, autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if not known:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    head, _, query = server.partition("?")
    return head.rpartition("/")[0] + f"/{quote(name, safe='')}" + (f"?{query}" if query else "")


def for_sandbox(environment: dict[str, str], port: int) -> dict[str, str]:
    """Return the environment with the sandbox on `port` as the account; the sandbox process uses it too."""
    token = stored_secret(Path(environment["DATA_DIR"]) / "sandbox_token")
    return environment | {
        "SIFT_SANDBOX": "1",
        "SIFT_API_URL": f"http://127.0.0.1:{port}/v0",
        "SIFT_ACCOUNT_ID": SANDBOX_ACCOUNT,
        "SIFT_AUTH_TOKEN": token,
        "SANDBOX_TOKEN": token,
    }


def sandbox_command(port: int, folder: Path, *more: str) -> list[str]:
    """Return the command that starts the sandbox, which stores its calls in `folder` between starts."""
    own = ["--account", SANDBOX_ACCOUNT, "--state", str(folder / "sandbox.json")]
    return [sys.executable, "-m", "sandbox", "--port", str(port), *own, *more]


def sandbox_port(folder: Path) -> int:
    """Return the sandbox's last port if it is free, else another free one; it is stored."""
    memory = folder / "sandbox_port"
    last = int(memory.read_text()) if memory.exists() and memory.read_text().isdigit() else 0
    port = last if last and is_free("127.0.0.1", last) else free_port()
    memory.write_text(str(port))
    return port


def is_free(host: str, port: int) -> bool:
    """Return True if a server could listen there."""
    return listen_error(host, port) is None


def listen_error(host: str, port: int) -> OSError | None:
    """Return the error of listening on that address, or None if it works."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        return error
    return None


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def stored_secret(file: Path) -> str:
    """Return the random text in `file`, which is created once and readable by its owner only."""
    if not file.exists():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
            new.write(secrets.token_urlsafe(40))
    return file.read_text()
