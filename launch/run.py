"""Run the whole dashboard: engines, sandbox, web, workers and beat, under one supervisor."""

import argparse
import errno
import hashlib
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from launch import environment as env
from launch import locks, ownership
from launch.engine_folders import make_folder
from launch.engine_monitor import EngineMonitor
from launch.engine_process import EngineFailed
from launch.supervisor import Supervisor

ROOT = env.ROOT
READY_SECONDS = 60.0
PROGRESS_SECONDS = 10.0  # between two lines about a command that takes long
WORDS = {"prepare": "Bringing the database up to date", "collectstatic": "Collecting static files"}
# Without banners and the warning against root: they would hide the address that is printed last.
CELERY = ("-W", "ignore::Warning:celery.platforms", "-m", "celery", "--quiet", "-A", "sift_dashboard")
WORKER = ("--without-gossip", "--without-mingle", "--pool", "threads", "--loglevel", "warning")


def main(given: Sequence[str]) -> None:
    """Check the options and the environment, run the dashboard, and exit with its status."""
    arguments = argparse.ArgumentParser(prog="script/run", description="Run the Sift dashboard.")
    arguments.add_argument("--port", type=_port, default=8000)
    arguments.add_argument("--host", default="127.0.0.1", help="where to listen; 0.0.0.0 for every address")
    arguments.add_argument("--sandbox-calls", type=int, default=5000, help="past calls in the sandbox")
    arguments.add_argument("--sandbox-rate", type=float, default=6.0, help="the sandbox's new calls a minute")
    chosen = arguments.parse_args(given)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    env.end_with_terminal()
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
        if problem := env.listen_error(chosen.host, chosen.port):
            sys.exit(_cannot_listen(chosen, problem))
        with env.ready(environment) as prepared:
            sys.exit(run(chosen, environment, prepared, folder))


def run(
    chosen: argparse.Namespace, environment: dict[str, str], prepared: dict[str, str], folder: Path
) -> int:
    """Start everything, print its address, and wait. Returns the exit code.

    `environment` is as the user set it; `prepared` also has the URLs of private engines.
    """
    address = f"http://{_shown(chosen.host)}:{chosen.port}"
    prepared = prepared | {"LOCAL_URL": address}
    port = 0 if env.has_account(prepared) else env.sandbox_port(folder)
    if port:
        prepared = env.for_sandbox(prepared, port)
    (folder / "address").write_text(address)
    how_to_sign_in = _manage(env.as_owner(prepared), "prepare")
    sandbox = {}
    if port:
        options = ("--calls", str(chosen.sandbox_calls), "--rate", str(chosen.sandbox_rate))
        # By the environment: every user of the machine can read the arguments of a command.
        prepared |= {"SANDBOX_ON_INCOMING": _manage(prepared, "callback_urls", "--incoming").strip()}
        sandbox = {"sandbox": env.sandbox_command(port, folder, *options)}
    _collect_static(prepared, folder)
    supervisor = Supervisor(prepared, ROOT)
    for name, command in (sandbox | processes(chosen, prepared, folder)).items():
        supervisor.add(name, command)
    monitor = EngineMonitor(folder, environment, supervisor)
    where = f"Its data is kept in {data_folders(folder, environment)}."
    failure = supervisor.run(monitor.watch, lambda: _say_when_ready(address, f"{where}\n{how_to_sign_in}"))
    if failure:
        print(f"\n{failure}", file=sys.stderr)
    return 1 if failure else 0


def data_folders(folder: Path, environment: dict[str, str]) -> str:
    """Return a phrase that states where the data is stored."""
    if environment.get("DATABASE_URL", "").strip():
        return f"the database of DATABASE_URL, and in {folder}"
    place = ownership.pointed_place(folder)
    return f"{folder}, and its calls in {place}" if place else str(folder)


def processes(chosen: argparse.Namespace, prepared: dict[str, str], folder: Path) -> dict[str, list[str]]:
    """Return the command of every process of the dashboard, by name."""
    python = sys.executable
    return {
        "web": [
            *(python, "-m", "uvicorn", "sift_dashboard.asgi:application"),
            *("--host", chosen.host, "--port", str(chosen.port), "--lifespan", "on"),
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
    """Return the options for X-Forwarded-For and -Proto, which only TRUSTED_PROXIES may send."""
    trusted = prepared.get("TRUSTED_PROXIES", "").replace(" ", "")
    return ["--proxy-headers", "--forwarded-allow-ips", trusted] if trusted else ["--no-proxy-headers"]


def _leave(*_: object) -> None:
    """Exit at once, before the supervisor runs; context managers stop the engines."""
    raise SystemExit(0)


def _manage(prepared: dict[str, str], *arguments: str) -> str:
    """Run a manage.py command and return its output. Exits with the command's own message if it fails.

    Prints the elapsed time every PROGRESS_SECONDS.
    """
    began = time.monotonic()
    command = [sys.executable, "manage.py", *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, env=prepared, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while process.returncode is None:
            try:
                output, problem = process.communicate(timeout=PROGRESS_SECONDS)
            except subprocess.TimeoutExpired:
                seconds = time.monotonic() - began
                print(f"{WORDS.get(arguments[0], arguments[0])} … {seconds:.0f} s", flush=True)
    if process.returncode:
        sys.exit(problem.strip().removeprefix("CommandError: ") or f"{arguments[0]} failed.")
    return output.strip()


def _collect_static(prepared: dict[str, str], folder: Path) -> None:
    """Collect the static files if any has changed since the last time."""
    inputs = [*sorted((ROOT / "static").rglob("*")), ROOT / "package-lock.json", ROOT / "requirements.txt"]
    inputs.append(ROOT / "sift_dashboard" / "staticfiles.py")
    state = "".join(f"{path}{path.stat().st_mtime_ns}" for path in inputs if path.is_file())
    stamp, digest = folder / "static.stamp", hashlib.sha256(state.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest and (folder / "static").exists():
        return
    _manage(prepared, "collectstatic", "--noinput", "--clear", "-v0")
    stamp.write_text(digest)


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
    """Return the path of a new schedule file for beat: a kill may have left the old one half written."""
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
