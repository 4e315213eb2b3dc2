"""A supervisor gives up only on what keeps dying right after its start, and says which process and why."""

import sys
from pathlib import Path

import pytest

from launch import supervisor as supervising
from launch.supervisor import MOST_QUICK_DEATHS, Pauses, Supervisor

ROOT = Path(__file__).resolve().parent.parent.parent


def test_pauses_grow_and_are_short_again_after_a_minute() -> None:
    pauses = Pauses()
    assert [pauses.after(20) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert pauses.after(61) == 0.5


def test_what_dies_at_once_again_and_again_is_not_started_for_ever() -> None:
    pauses = Pauses()
    assert [pauses.after(1) for _ in range(MOST_QUICK_DEATHS)][-1] is None


def test_one_that_ran_in_between_has_not_died_at_once() -> None:
    pauses = Pauses()
    for _ in range(10):
        assert all(pauses.after(1) is not None for _ in range(MOST_QUICK_DEATHS - 1))
        assert pauses.after(15) is not None


def test_it_ends_everything_and_names_what_kept_dying(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervising, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(supervising.signal, "signal", lambda *_: None)
    supervisor = Supervisor({"PATH": "/usr/bin:/bin", "PYTHONUNBUFFERED": "1"}, ROOT)
    supervisor.add("broken", [sys.executable, "-c", "print('No such module'); raise SystemExit(3)"])
    supervisor.add("steady", [sys.executable, "-c", "import time; print('here'); time.sleep(600)"])
    failure = supervisor.run()
    assert failure is not None
    assert (failure.name, failure.code, failure.last_lines[-1]) == ("broken", 3, "No such module")
    assert "broken ended (exit 3) 5 times in a row right after its start" in str(failure)
    assert all(not child.thread.is_alive() for child in supervisor.children)
    assert "steady | here" in capsys.readouterr().out
