"""The command as a process: its exit code and words, and what is left when it is killed or put to sleep."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from django.conf import LazySettings
from django.utils import timezone

from connections_app.models import Connection, SyncState, Walk
from tests.conftest import TOKEN, Sandbox, database_url, our_ids, wait_until
from tests.sync.test_walking import sync

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(settings: LazySettings) -> Iterator[Start]:
    """Start `sync_connections` as a process on the test's database and sandbox."""
    started: list[subprocess.Popen[str]] = []

    def start(*options: str, **environment: str) -> "subprocess.Popen[str]":
        own = {
            "DATABASE_URL": database_url(),
            "SIFT_API_URL": settings.SIFT_API_URL,
            "SIFT_ACCOUNT_ID": settings.SIFT_ACCOUNT_ID,
            "SIFT_AUTH_TOKEN": settings.SIFT_AUTH_TOKEN,
        }
        process = subprocess.Popen(
            [sys.executable, "manage.py", "sync_connections", *options],
            env=os.environ | own | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def finished(process: "subprocess.Popen[str]") -> tuple[int, str]:
    output, _ = process.communicate(timeout=40)
    return process.returncode, output


def pages_written() -> int:
    return sum(Walk.objects.values_list("pages", flat=True))


def let_the_lease_run_out() -> None:
    SyncState.objects.update(lease_until=timezone.now())


def test_it_prints_what_it_did(sandbox: Sandbox, start: Start) -> None:
    code, output = finished(start())
    assert code == 0
    assert "pages, 600 rows seen, " in output
    assert "500 created, " in output
    assert "0 rejected" in output
    assert " rows/s" in output
    assert our_ids() == sandbox.ids()


def test_it_fails_with_one_clear_line_and_no_secret(sandbox: Sandbox, start: Start) -> None:
    sandbox.faults({"kind": "redirect"})
    code, output = finished(start())
    assert code == 1
    assert output.splitlines()[-1].startswith("CommandError: Sift redirects to https://elsewhere.example")
    assert "Traceback" not in output
    assert TOKEN not in output


def test_it_refuses_another_accounts_database(sandbox: Sandbox, start: Start) -> None:
    sync()
    code, output = finished(start(SIFT_ACCOUNT_ID="another"))
    assert code == 1
    assert output.startswith("CommandError: This database holds the calls of account tests")


@pytest.mark.parametrize("pages", [1, 12, 25])
def test_killed_in_the_middle_and_started_again_misses_nothing(
    make_sandbox: Callable[..., Sandbox], start: Start, pages: int
) -> None:
    sandbox = make_sandbox("--calls", "2000", "--latency-ms", "60")
    first = start()
    wait_until(lambda: pages_written() >= pages, 20)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert our_ids() < sandbox.ids()
    sandbox.add(count=60)
    let_the_lease_run_out()
    code, _ = finished(start())
    assert code == 0
    assert our_ids() == sandbox.ids()
    killed = Walk.objects.earliest("id")
    assert (killed.state, killed.error.startswith("Cut off")) == (Walk.State.INTERRUPTED, True)


def test_one_that_slept_past_its_lease_writes_nothing_more(
    make_sandbox: Callable[..., Sandbox], start: Start
) -> None:
    sandbox = make_sandbox("--calls", "2000", "--latency-ms", "60")
    sleeper = start()
    wait_until(pages_written, 20)
    sleeper.send_signal(signal.SIGSTOP)
    let_the_lease_run_out()
    assert sync().state == Walk.State.COMPLETED
    change = Connection.objects.latest("change_number").change_number
    sleeper.send_signal(signal.SIGCONT)
    code, output = finished(sleeper)
    assert code == 1
    assert "Cut off: " in output
    assert Connection.objects.latest("change_number").change_number == change
    assert our_ids() == sandbox.ids()


def test_the_command_waits_for_its_turn(make_sandbox: Callable[..., Sandbox], start: Start) -> None:
    sandbox = make_sandbox("--calls", "4000", "--latency-ms", "60")
    first = start()
    wait_until(pages_written, 20)
    second = start()
    assert finished(first)[0] == 0
    code, output = finished(second)
    assert code == 0
    assert "Another walk is being made; waiting for its end." in output
    assert our_ids() == sandbox.ids()


def test_ctrl_c_stops_it_between_two_commits(make_sandbox: Callable[..., Sandbox], start: Start) -> None:
    make_sandbox("--calls", "2000", "--latency-ms", "60")
    process = start()
    wait_until(pages_written, 20)
    process.send_signal(signal.SIGINT)
    code, output = finished(process)
    assert code == 1
    assert "the next walk goes on from here" in output
    assert SyncState.objects.get().lease_until is None
