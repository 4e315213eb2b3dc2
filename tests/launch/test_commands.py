"""The commands as people run them: they start, end with everything they started, and say what is wrong."""

import os
import shutil
import signal
import subprocess
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from launch.environment import free_port
from tests.conftest import ACCOUNT, TOKEN, Sandbox, running_sandbox, wait_until

ROOT = Path(__file__).resolve().parent.parent.parent
LIMIT = 60.0  # seconds for what takes a few where nothing else runs

# Set to nothing, so that neither what surrounds these tests nor .env decides.
SETTINGS = (
    *("SIFT_ACCOUNT_ID", "SIFT_AUTH_TOKEN", "SIFT_API_URL", "SIFT_SANDBOX", "DATABASE_URL", "REDIS_URL"),
    *("SECRET_KEY", "PUBLIC_URL", "ALLOWED_HOSTS", "TRUSTED_PROXIES", "SYNC_INTERVAL_SECONDS"),
    *("ADMIN_USERNAME", "ADMIN_PASSWORD", "SESSION_IDLE_MINUTES", "DEFAULT_COUNTRY", "DEBUG"),
)


@dataclass
class Dashboard:
    """A script/run that was started."""

    process: "subprocess.Popen[bytes]"
    port: int
    output: Path

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.said()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def exit_code(self) -> int:
        return self.process.wait(LIMIT)


Start = Callable[[], Dashboard]


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """A DATA_DIR with a space in its path, where PostgreSQL's own user reaches it under root too.

    It is not below pytest's folder, whose path may be too long for a socket and is closed to that user.
    """
    parent = Path(tempfile.mkdtemp(prefix="run ", dir="/tmp"))
    parent.chmod(0o711)
    yield parent / "data"
    shutil.rmtree(parent)


@pytest.fixture
def start(data_dir: Path) -> Iterator[Start]:
    """Starts script/run on the sandbox; whatever is left of it after the test is killed."""
    started: list[Dashboard] = []

    def start_another() -> Dashboard:
        output = data_dir.parent / f"output-{len(started)}"
        port = free_port()
        with output.open("wb") as file:
            process = subprocess.Popen(
                [ROOT / "script" / "run", "--port", str(port), "--sandbox-calls", "40"],
                env=environment(data_dir),
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=hear_closed_terminals,
            )
        started.append(Dashboard(process, port, output))
        return started[-1]

    yield start_another
    wait_until(lambda: not kill(processes(data_dir)), LIMIT)
    for dashboard in started:
        dashboard.exit_code()


@pytest.fixture
def account() -> Iterator[Sandbox]:
    """A server that stands for the API of somebody's own account."""
    with running_sandbox("--rate", "0", "--calls", "30", "--seed", "9") as sandbox:
        yield sandbox


def environment(data_dir: Path, **settings: str) -> dict[str, str]:
    return os.environ | dict.fromkeys(SETTINGS, "") | {"DATA_DIR": str(data_dir)} | settings


def hear_closed_terminals() -> None:
    """Undo what `nohup script/test` hands down: under nohup the dashboard rightly outlives its terminal."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def run(data_dir: Path, *command: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run a script to its end."""
    return subprocess.run(
        [ROOT / "script" / command[0], *command[1:]],
        env=environment(data_dir, **settings),
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )


def processes(data_dir: Path) -> list[psutil.Process]:
    """Every process, servers too, of the dashboard that keeps its data in `data_dir`."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            ours = process.environ().get("DATA_DIR") == str(data_dir)
            if ours or Path(process.cwd()).is_relative_to(data_dir):
                found.append(process)
    return found


def kill(found: list[psutil.Process]) -> list[psutil.Process]:
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    return found


def calls(data_dir: Path, **settings: str) -> set[str]:
    """The ids of the calls in the database that these settings lead to."""
    ask = "for call in Connection.objects.all(): print(call.connection_id)"
    shown = run(data_dir, "manage", "shell", "--verbosity", "0", "--command", ask, **settings)
    shown.check_returncode()
    return set(shown.stdout.split())


def assert_refused(refused: "subprocess.CompletedProcess[str]", *words: str) -> None:
    """It failed with one line, which holds every one of `words`."""
    said = refused.stdout + refused.stderr
    assert refused.returncode > 0, said
    assert len(said.strip().splitlines()) == 1, said
    for word in words:
        assert word in said


def test_it_starts_and_after_sigterm_no_process_is_left(data_dir: Path, start: Start) -> None:
    dashboard = start()
    wait_until(dashboard.is_ready, LIMIT)
    wait_until(lambda: f"The dashboard is at http://127.0.0.1:{dashboard.port}" in dashboard.said(), LIMIT)
    dashboard.process.send_signal(signal.SIGTERM)
    assert dashboard.exit_code() == 0
    assert processes(data_dir) == []


def test_a_closed_terminal_leaves_no_process(data_dir: Path, start: Start) -> None:
    dashboard = start()
    wait_until(dashboard.is_ready, LIMIT)
    os.killpg(dashboard.process.pid, signal.SIGHUP)
    assert dashboard.exit_code() == 0
    assert processes(data_dir) == []


def test_processes_that_do_not_answer_are_killed(data_dir: Path, start: Start) -> None:
    dashboard = start()
    wait_until(dashboard.is_ready, LIMIT)
    for process in processes(data_dir):
        if runs(process, "-m"):
            process.suspend()
    dashboard.process.send_signal(signal.SIGTERM)
    assert dashboard.exit_code() == 0
    assert processes(data_dir) == []


def test_ctrl_c_during_the_start_leaves_no_process(data_dir: Path, start: Start) -> None:
    dashboard = start()
    wait_until(lambda: is_there(data_dir, "postgres"), LIMIT)
    os.killpg(dashboard.process.pid, signal.SIGINT)
    assert dashboard.exit_code() == 0
    assert processes(data_dir) == []


def test_a_second_one_on_the_same_data_is_refused(data_dir: Path, start: Start) -> None:
    first = start()
    wait_until(lambda: is_there(data_dir, "postgres"), LIMIT)
    assert_refused(run(data_dir, "run", "--port", str(free_port())), "already runs", str(data_dir))
    assert first.process.poll() is None


def test_a_process_that_dies_is_started_again(data_dir: Path, start: Start) -> None:
    dashboard = start()
    wait_until(dashboard.is_ready, LIMIT)
    workers = {queue: the_one(data_dir, "-m", "celery", "-Q", queue) for queue in ("short", "long")}
    for worker in workers.values():
        worker.kill()
    for queue, worker in workers.items():
        again = wait_until(lambda queue=queue: the_one(data_dir, "-m", "celery", "-Q", queue), LIMIT)
        assert again.pid != worker.pid
        assert f"worker-{queue} ended (exit 137); it is started again in 0.5 s." in dashboard.said()
    web = the_one(data_dir, "uvicorn")
    assert web is not None
    web.kill()
    wait_until(lambda: the_one(data_dir, "uvicorn") not in (None, web), LIMIT)
    wait_until(dashboard.is_ready, LIMIT)
    assert dashboard.process.poll() is None


def test_private_engines_that_die_are_started_again(data_dir: Path, start: Start) -> None:
    dashboard = start()
    wait_until(dashboard.is_ready, LIMIT)
    for name, program in (("PostgreSQL", "postgres"), ("Valkey", "valkey-server")):
        kill([found for found in processes(data_dir) if name_of(found) == program])
        wait_until(lambda name=name: f"{name} ended; it is started again" in dashboard.said(), LIMIT)
        wait_until(lambda program=program: is_there(data_dir, program), LIMIT)
        wait_until(dashboard.is_ready, LIMIT)
    assert dashboard.process.poll() is None


def test_it_starts_again_with_its_calls_after_everything_was_killed(data_dir: Path, start: Start) -> None:
    killed = start()
    wait_until(killed.is_ready, LIMIT)
    before = wait_until(lambda: calls(data_dir), LIMIT)
    wait_until(lambda: not kill(processes(data_dir)), LIMIT)
    again = start()
    wait_until(again.is_ready, LIMIT)
    assert before <= calls(data_dir)


def test_a_port_in_use_is_refused(data_dir: Path, account: Sandbox) -> None:
    port = account.base.rpartition(":")[2]
    assert_refused(run(data_dir, "run", "--port", port), f"Port {port} is in use")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SYNC_INTERVAL_SECONDS", "abc", "a whole number from 1 to 3600"),
        ("PUBLIC_URL", "foo", "an http(s) URL"),
        ("ADMIN_PASSWORD", "123", "too short"),
        ("DATABASE_URL", "nonsense", "postgresql://user:password@host:5432/name"),
        ("DATABASE_URL", "postgresql://127.0.0.1:1/name", "Connection refused"),
        ("REDIS_URL", "redis://127.0.0.1:1/0", "Connection refused"),
        ("DATA_DIR", "/etc/passwd", "a folder"),
        ("SIFT_AUTH_TOKEN", "abc", "SIFT_ACCOUNT_ID"),
    ],
)
def test_a_wrong_setting_is_refused(data_dir: Path, name: str, value: str, expected: str) -> None:
    fresh = data_dir.with_name("fresh")  # a first password matters while there is no operator yet
    assert_refused(run(fresh, "run", "--port", str(free_port()), **{name: value}), name, expected)


def test_an_address_of_another_machine_is_refused(data_dir: Path) -> None:
    refused = run(data_dir, "run", "--port", str(free_port()), "--host", "203.0.113.1")
    assert_refused(refused, "--host 203.0.113.1", "an address of this machine")


def test_an_accounts_calls_are_kept_apart_and_another_account_is_refused(
    data_dir: Path, account: Sandbox
) -> None:
    ours = {"SIFT_ACCOUNT_ID": ACCOUNT, "SIFT_AUTH_TOKEN": TOKEN, "SIFT_API_URL": account.url}
    run(data_dir, "manage", "prepare", **ours).check_returncode()
    run(data_dir, "manage", "sync_connections", **ours).check_returncode()
    assert calls(data_dir, **ours) == account.ids()
    assert_refused(
        run(data_dir, "run", "--port", str(free_port()), **ours | {"SIFT_ACCOUNT_ID": "another"}),
        f"holds the calls of account {ACCOUNT}",
        "another DATA_DIR",
    )


def the_one(data_dir: Path, *words: str) -> psutil.Process | None:
    """The running process with these words in its command; None while there is none."""
    found = [one for one in processes(data_dir) if runs(one, *words)]
    return found[0] if found else None


def is_there(data_dir: Path, name: str) -> bool:
    return any(name_of(process) == name for process in processes(data_dir))


def name_of(process: psutil.Process) -> str:
    """Its name; empty for one that has ended meanwhile."""
    try:
        return str(process.name())
    except psutil.NoSuchProcess:
        return ""


def runs(process: psutil.Process, *words: str) -> bool:
    """Whether the process is that command itself, not its guard."""
    try:
        command = process.cmdline()
    except psutil.Error:
        return False
    return set(words) <= set(command) and "launch.guard" not in command
