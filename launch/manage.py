"""Run a manage.py command with the dashboard's environment and engines."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from launch import environment as env

NEEDS_SIFT = ("sync_connections",)
# Commands that change tables.
NEEDS_OWNER = ("prepare", "migrate")
START_SECONDS = 20.0


def main(arguments: Sequence[str]) -> None:
    """Run the command with what a running script/run has started, else with new engines."""
    env.end_with_terminal()
    environment = env.given()
    with env.ready(environment) as prepared, _with_sift(_with_address(prepared), arguments) as complete:
        as_needed = env.as_owner(complete) if set(NEEDS_OWNER) & set(arguments[:1]) else complete
        sys.exit(_run([sys.executable, str(env.ROOT / "manage.py"), *arguments], as_needed))


def _with_address(prepared: dict[str, str]) -> dict[str, str]:
    """Add the address at which script/run answers, or last did, to the environment."""
    kept = Path(prepared["DATA_DIR"]) / "address"
    return {"LOCAL_URL": kept.read_text()} | prepared if kept.exists() else prepared


def _run(command: Sequence[str], environment: dict[str, str]) -> int:
    """Run the command and return its exit code. Ctrl-C reaches it by the terminal; SIGTERM is passed on."""
    with subprocess.Popen(command, env=environment) as process:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        code = process.wait()
    return code if code >= 0 else 128 - code


@contextmanager
def _with_sift(prepared: dict[str, str], arguments: Sequence[str]) -> Iterator[dict[str, str]]:
    """Yield the environment with an account: the configured one, else the sandbox, started if needed."""
    if env.has_account(prepared):
        yield prepared
        return
    folder = Path(prepared["DATA_DIR"])
    remembered = folder / "sandbox_port"
    port = int(remembered.read_text()) if remembered.exists() else 0
    if port and _listens(port):
        yield env.for_sandbox(prepared, port)
    elif not set(NEEDS_SIFT) & set(arguments[:1]):
        yield env.for_sandbox(prepared, port or 1)
    else:
        port = env.sandbox_port(folder)
        complete = env.for_sandbox(prepared, port)
        with subprocess.Popen(
            env.sandbox_command(port, folder), cwd=env.ROOT, env=complete, stdout=subprocess.DEVNULL
        ) as sandbox:
            try:
                _wait_until_it_listens(port)
                yield complete
            finally:
                sandbox.terminate()


def _wait_until_it_listens(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _listens(port):
        if time.monotonic() > deadline:
            sys.exit("The sandbox did not start.")
        time.sleep(0.05)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
