"""Run the whole dashboard: engines, sandbox, web, workers and beat, under one supervisor."""

import argparse
import errno
import hashlib
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from honcho.manager import Manager
from honcho.printer import Printer

from launch import environment as env
from launch import locks
from launch.engines import EngineFailed, make_folder

ROOT = env.ROOT
READY_SECONDS = 60.0
END_SECONDS = 5  # for every process to end by itself, from the first signal on
LAST_LINES = 20
# Without banners, and without advice against root: they would bury the address that the start ends with.
CELERY = ("-W", "ignore::Warning:celery.platforms", "-m", "celery", "--quiet", "-A", "sift_dashboard")
WORKER = ("--without-gossip", "--without-mingle", "--pool", "threads", "--loglevel", "warning")


def main(given: Sequence[str]) -> None:
    arguments = argparse.ArgumentParser(prog="script/run", description="Run the Sift dashboard.")
    arguments.add_argument("--port", type=_port, default=8000)
    arguments.add_argument("--host", default="127.0.0.1", help="where to listen; 0.0.0.0 for every address")
    arguments.add_argument("--sandbox-calls", type=int, default=5000, help="past calls in the sandbox")
    arguments.add_argument("--sandbox-rate", type=float, default=6.0, help="the sandbox's new calls a minute")
    chosen = arguments.parse_args(given)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    env.obey_closed_terminals()
    environment = env.given()
    if environment.get("SIFT_AUTH_TOKEN") and not env.has_account(environment):
        sys.exit(
            "SIFT_AUTH_TOKEN is set but SIFT_ACCOUNT_ID is not; expected both, or neither for the sandbox."
        )
    folder = env.data_dir(environment)
    try:
        make_folder(folder)
    except EngineFailed as error:
        sys.exit(str(error))
    with _only_one(folder):
        if problem := env.why_not_listen(chosen.host, chosen.port):
            sys.exit(_cannot_listen(chosen, problem))
        with env.ready(environment) as prepared:
            sys.exit(run(chosen, prepared, folder))


def run(chosen: argparse.Namespace, prepared: dict[str, str], folder: Path) -> int:
    """Start everything, say where it is, and wait; the exit code."""
    address = f"http://{_shown(chosen.host)}:{chosen.port}"
    prepared = prepared | {"LOCAL_URL": address}
    port = 0 if env.has_account(prepared) else env.sandbox_port(folder)
    if port:
        prepared = env.for_sandbox(prepared, port)
    (folder / "address").write_text(address)
    how_to_sign_in = _manage(prepared, "prepare")
    sandbox = {}
    if port:
        wanted = ("--calls", str(chosen.sandbox_calls), "--rate", str(chosen.sandbox_rate))
        incoming = _manage(prepared, "callback_urls", "--incoming").strip()
        sandbox = {"sandbox": env.sandbox_command(port, folder, *wanted, "--on-incoming", incoming)}
    _collect_static(prepared, folder)
    lines = LastLines(sys.stdout)
    manager = Supervisor(lines)
    for name, command in (sandbox | processes(chosen, prepared, folder)).items():
        manager.add_process(name, _guarded(command), env=prepared, cwd=str(ROOT))
    manager.announcer = threading.Thread(target=_say_when_ready, args=(address, how_to_sign_in), daemon=True)
    manager.loop()
    return _outcome(manager, lines)


def processes(chosen: argparse.Namespace, prepared: dict[str, str], folder: Path) -> dict[str, list[str]]:
    """Every process of the dashboard itself, by name."""
    python = sys.executable
    return {
        "web": [
            *(python, "-m", "uvicorn", "sift_dashboard.asgi:application"),
            *("--host", chosen.host, "--port", str(chosen.port), "--lifespan", "off"),
            *("--no-access-log", "--log-level", "warning", "--timeout-graceful-shutdown", "3"),
            *("--no-server-header", *_proxies(prepared)),
        ],
        "worker-short": [python, *CELERY, "worker", "-Q", "short", "-c", "4", "-n", "short@%h", *WORKER],
        "worker-long": [python, *CELERY, "worker", "-Q", "long", "-c", "2", "-n", "long@%h", *WORKER],
        "beat": [
            *(python, *CELERY, "beat", "--loglevel", "warning", "--pidfile", ""),
            *("--schedule", str(_fresh(folder / "beat"))),
        ],
    }


def _proxies(prepared: dict[str, str]) -> list[str]:
    """From whom the web server takes X-Forwarded-For and -Proto: nobody, unless told."""
    trusted = prepared.get("TRUSTED_PROXIES", "").replace(" ", "")
    return ["--proxy-headers", "--forwarded-allow-ips", trusted] if trusted else ["--no-proxy-headers"]


class LastLines(Printer):
    """Honcho's printer, which keeps each process's last lines for when it dies."""

    def __init__(self, output: Any) -> None:
        super().__init__(output)
        self.last: dict[str, deque[str]] = {}

    def write(self, message: Any) -> None:
        data = message.data.decode(errors="replace") if isinstance(message.data, bytes) else str(message.data)
        if message.type == "line" and data.strip():
            self.last.setdefault(message.name, deque(maxlen=LAST_LINES)).append(data.rstrip("\n"))
        if message.name != "system" and data.strip():
            super().write(message)


class Supervisor(Manager):
    """Honcho's manager, which remembers whose end made it end everything."""

    first_ended: tuple[str, int] | None = None
    announcer: threading.Thread

    def _start(self) -> None:
        """Start every process. A signal waits until the pid of each is known, so that it reaches all."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        super()._start()
        later = []
        while not self._all_started():
            message = self.events.get(timeout=READY_SECONDS)
            if message.type == "start":
                self._processes[message.name]["pid"] = message.data["pid"]
            else:
                later.append(message)
        for message in later:
            self.events.put(message)
        self.announcer.start()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def terminate(self) -> None:
        """Ask every process to end; what has not after END_SECONDS is killed, even if nothing ended yet."""
        if not self._terminating:
            signal.signal(signal.SIGALRM, lambda *_: self.kill())
            signal.alarm(END_SECONDS)
            ended = (
                (name, own["returncode"]) for name, own in self._processes.items() if "returncode" in own
            )
            self.first_ended = next(ended, None)
        super().terminate()


def _outcome(supervisor: Supervisor, lines: LastLines) -> int:
    """0 after Ctrl-C or SIGTERM; else 1, with the name of the process that died and its last lines."""
    if supervisor.first_ended is None:
        return 0
    name, code = supervisor.first_ended
    said = "\n".join(f"    {line}" for line in lines.last.get(name, ())) or "    (it said nothing)"
    print(
        f"\n{name} ended (exit {code}), so everything was stopped. Its last lines:\n{said}", file=sys.stderr
    )
    return 1


def _leave(*_: object) -> None:
    """Before the supervisor has taken over: end at once, stopping the engines on the way out."""
    raise SystemExit(0)


def _guarded(command: list[str]) -> str:
    """The command for a shell, under the guard that ends it with this supervisor."""
    guard = [sys.executable, "-m", "launch.guard", str(os.getpid()), *command]
    return "exec " + shlex.join(guard)


def _manage(prepared: dict[str, str], *arguments: str) -> str:
    """Run a manage.py command; its output. Ends everything, with the command's own words, when it fails."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=prepared, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(done.stderr.strip().removeprefix("CommandError: ") or f"{arguments[0]} failed.")
    return done.stdout.strip()


def _collect_static(prepared: dict[str, str], folder: Path) -> None:
    """Collect the static files, when any has changed since they were last collected."""
    inputs = [*sorted((ROOT / "static").rglob("*")), ROOT / "package-lock.json", ROOT / "requirements.txt"]
    inputs.append(ROOT / "sift_dashboard" / "staticfiles.py")
    seen = "".join(f"{path}{path.stat().st_mtime_ns}" for path in inputs if path.is_file())
    stamp, wanted = folder / "static.stamp", hashlib.sha256(seen.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted and (folder / "static").exists():
        return
    _manage(prepared, "collectstatic", "--noinput", "--clear", "-v0")
    stamp.write_text(wanted)


def _say_when_ready(address: str, how_to_sign_in: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=2) as answer:  # noqa: S310 - our own
                if answer.status == 200:
                    print(f"\nThe dashboard is at {address}\n{how_to_sign_in}\nCtrl-C ends it.\n", flush=True)
                    return
        except (OSError, urllib.error.URLError):
            time.sleep(0.1)


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    with (folder / "run.lock").open("a") as file:
        if not locks.take(file):
            sys.exit(
                f"The dashboard already runs with the data in {folder}. Another one needs another DATA_DIR."
            )
        yield


def _fresh(folder: Path) -> Path:
    """Beat's memory of when it last ran; made anew, since a kill may have left it half written."""
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    return folder / "schedule"


def _shown(host: str) -> str:
    reached = {"0.0.0.0": "127.0.0.1", "localhost": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"[{reached}]" if ":" in reached else reached


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r}; expected a port from 1 to 65535")
    return int(text)


def _cannot_listen(chosen: argparse.Namespace, problem: OSError) -> str:
    if problem.errno == errno.EADDRINUSE:
        return f"Port {chosen.port} is in use. Choose another: script/run --port {chosen.port + 1}"
    return (
        f"--host {chosen.host} --port {chosen.port} cannot be listened on ({problem.strerror}); "
        "expected an address of this machine, and a port that this user may use."
    )
