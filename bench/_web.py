"""Start a web process for a bench, and create its tables."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

# As launch/run.py starts it.
OPTIONS = (
    *("--lifespan", "off", "--no-access-log", "--log-level", "warning"),
    *("--timeout-graceful-shutdown", "3", "--no-server-header", "--no-proxy-headers"),
)


@dataclass(frozen=True)
class Web:
    """A running web process."""

    port: int
    pid: int


@contextmanager
def web(application: Sequence[str], environment: dict[str, str]) -> Iterator[Web]:
    """Start a web process and yield it once it accepts connections."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", *application, "--port", str(port), *OPTIONS]
    with subprocess.Popen(command, env=environment) as process:
        try:
            while not _answers(port):
                if process.poll() is not None:
                    sys.exit(f"{application[0]} did not start.")
                time.sleep(0.05)
            yield Web(port, process.pid)
        finally:
            process.terminate()


def environment_on(database_url: str) -> dict[str, str]:
    """Return the environment of every process of a bench: with an account, but without a Sift API."""
    return os.environ | {
        "DATABASE_URL": database_url,
        "SIFT_ACCOUNT_ID": "bench",
        "SIFT_AUTH_TOKEN": "bench",
        "SIFT_API_URL": "https://unused.example/v0",
    }


def prepare(environment: dict[str, str]) -> None:
    """Create the tables, and set up Django in this process."""
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], env=environment, check=True)
    os.environ |= environment
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sift_dashboard.settings")
    import django

    django.setup()
    from django.conf import settings

    settings.STATIC_ROOT.mkdir(exist_ok=True)  # WhiteNoise warns about a missing folder.


def close() -> None:
    """Close all connections to the database, so that it can be dropped."""
    from django.db import connection

    connection.close()
    connection.close_pool()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
