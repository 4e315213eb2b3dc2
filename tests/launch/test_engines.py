"""The private servers outlive those that still use them, and nobody else; and they survive being killed."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

import launch.postgres
from launch.engine_process import EngineFailed
from launch.engines import Engines, engines

ROOT = Path(__file__).resolve().parent.parent.parent

HOLDER = """
import sys
from pathlib import Path
from launch.engines import engines
with engines(Path(sys.argv[1]), {}, throw_away=True):
    print("up", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A DATA_DIR with a space in its path, where PostgreSQL's own user reaches it under root too."""
    parent = Path(tempfile.mkdtemp(prefix="engines ", dir="/tmp"))
    parent.chmod(0o711)
    yield parent / "data"
    for process in servers(parent / "data"):
        process.kill()
    shutil.rmtree(parent)


@pytest.fixture
def hold(folder: Path) -> Iterator[Callable[[], "subprocess.Popen[str]"]]:
    """Starts another process that uses the engines until it is killed."""
    started: list[subprocess.Popen[str]] = []

    def start() -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", HOLDER, str(folder)]
        pipe = subprocess.PIPE
        holder = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT)
        started.append(holder)
        assert holder.stdout is not None
        assert holder.stdout.readline() == "up\n"
        return holder

    yield start
    for holder in started:
        holder.kill()
        holder.communicate()


def servers(folder: Path) -> list[psutil.Process]:
    """Every process that works inside `folder`."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if Path(process.cwd()).is_relative_to(folder):
                found.append(process)
    return found


def kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=10)


def assert_both_answer(found: Engines) -> None:
    with psycopg.connect(found.database_url) as database:
        assert database.execute("SELECT 1").fetchone() == (1,)
    with redis.Redis.from_url(found.redis_url) as valkey:
        assert valkey.ping()


def test_they_answer_while_they_are_used_and_end_after(folder: Path) -> None:
    with engines(folder, {}, throw_away=True) as found:
        assert_both_answer(found)
    assert servers(folder) == []


def test_they_stay_for_another_who_uses_them(
    folder: Path, hold: Callable[[], "subprocess.Popen[str]"]
) -> None:
    other = hold()
    with engines(folder, {}, throw_away=True) as found:
        pass
    assert_both_answer(found)
    other.communicate()
    assert servers(folder) == []


def test_those_of_a_killed_user_are_joined_and_stopped(
    folder: Path, hold: Callable[[], "subprocess.Popen[str]"]
) -> None:
    other = hold()
    other.kill()
    other.wait()
    left = {process.pid for process in servers(folder)}
    with engines(folder, {}) as found:
        assert_both_answer(found)
        assert left & {process.pid for process in servers(folder)}
    assert servers(folder) == []


def test_they_start_again_after_everything_was_killed(
    folder: Path, hold: Callable[[], "subprocess.Popen[str]"]
) -> None:
    other = hold()
    other.kill()
    other.wait()
    kill(servers(folder))
    with engines(folder, {}) as found:
        assert_both_answer(found)


def test_a_pid_that_became_another_program_does_not_stop_a_start(folder: Path) -> None:
    with engines(folder, {}, throw_away=True):
        pid_file = folder / "postgres" / "postmaster.pid"
        written = pid_file.read_text()
    with subprocess.Popen(["sleep", "60"]) as another:
        pid_file.write_text("\n".join([str(another.pid), *written.splitlines()[1:]]))
        with engines(folder, {}) as found:
            assert_both_answer(found)
        assert another.poll() is None
        another.kill()


def test_a_failed_start_says_why_and_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(launch.postgres.TUNING, "shared_buffers", "plenty")
    with pytest.raises(EngineFailed, match="shared_buffers"), engines(folder, {}, throw_away=True):
        pass
    assert servers(folder) == []


def test_servers_of_ones_own_are_taken_as_they_are(folder: Path) -> None:
    given = {"DATABASE_URL": "postgresql://db.example/sift", "REDIS_URL": "redis://cache.example/0"}
    with engines(folder, given) as found:
        assert found == Engines(given["DATABASE_URL"], given["REDIS_URL"])
    assert not folder.exists()
