"""Sift calls back, in order, and takes the routines that are answered; or as faults would have it."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.conftest import Sandbox, running_sandbox, wait_until
from tests.sandbox.listener import Body, Listener

Create = Callable[..., str]
ALL = ["connecting", "connected", "finished"]
CONFERENCE = {"routine": [{"name": "JoinConference", "conference_name": "room"}]}
HANG_UP = {"routine": [{"name": "HangUp"}]}


def answering(**by_status: Any) -> Callable[[str, Body], Any]:
    """Answers to status callbacks, by status."""
    return lambda path, body: by_status.get(body["connection"]["status"], {})


def ended(listener: Listener) -> bool:
    return "finished" in listener.statuses()


def test_a_routine_answered_while_it_rings_starts_when_it_connects(
    placing: Sandbox, create: Create, listener: Listener
) -> None:
    listener.answers = answering(connecting=CONFERENCE)
    connection_id = create()
    wait_until(lambda: placing.call(connection_id)["running"] == "JoinConference")
    (handed,) = placing.call(connection_id)["routines"]
    assert (handed["how"], handed["routine"]) == ("callback", CONFERENCE["routine"])
    assert listener.statuses() == ["connecting", "connected"]


def test_the_answer_to_connected_goes_before_what_was_kept_which_never_starts(
    placing: Sandbox, create: Create, listener: Listener
) -> None:
    listener.answers = answering(connecting=HANG_UP, connected=CONFERENCE)
    connection_id = create()
    wait_until(lambda: placing.call(connection_id)["running"] == "JoinConference")
    first, second = placing.call(connection_id)["routines"]
    assert first["started_at"] is None
    assert second["started_at"] is not None


def test_a_set_routine_replaces_what_a_callback_gave_while_it_rang(
    placing: Sandbox, create: Create, set_routine: Callable[..., Any], listener: Listener
) -> None:
    listener.answers = answering(connecting=HANG_UP)
    placing.configure(answers="never")
    connection_id = create()
    wait_until(lambda: placing.call(connection_id)["routines"])
    set_routine(connection_id, *CONFERENCE["routine"])
    placing.change(connection_id, status="connected")
    wait_until(lambda: placing.call(connection_id)["running"] == "JoinConference")


def test_each_callback_is_logged_with_its_answer(
    placing: Sandbox, create: Create, listener: Listener
) -> None:
    listener.answers = answering(connecting=HANG_UP)
    connection_id = create()
    wait_until(lambda: len(placing.callbacks(connection_id)) == 3)
    entries = placing.callbacks(connection_id)
    assert [entry["kind"] for entry in entries] == ALL
    assert [entry["body"] for entry in entries] == [body for _, body in listener.heard]
    first = entries[0]
    assert (first["url"], first["status"], first["error"]) == (f"{listener.url}/status", 200, None)
    assert first["answer"] == '{"routine": [{"name": "HangUp"}]}'
    since = f"{placing.base}/_sandbox/callbacks?since={first['number']}"
    assert first not in requests.get(since, timeout=5).json()["callbacks"]


@pytest.mark.parametrize("said", [b"<html>", b"", b"[]", {"routine": [{"name": "Say"}]}, {"routine": []}])
def test_an_answer_without_a_good_routine_changes_nothing(
    placing: Sandbox, create: Create, listener: Listener, said: Any
) -> None:
    listener.answers = answering(connecting=said)
    placing.configure(idle_seconds=0)
    connection_id = create()
    wait_until(lambda: len(placing.callbacks(connection_id)) == 3)
    assert placing.call(connection_id)["routines"] == []


def test_a_call_goes_on_when_nobody_hears_its_callbacks(placing: Sandbox, post: Callable[..., Any]) -> None:
    placing.configure(idle_seconds=0)
    answer = post("/connections", {"status_url": "http://127.0.0.1:9/", "client_name": "ana"})
    connection_id = answer.json()["connection_id"]
    wait_until(lambda: len(placing.callbacks(connection_id)) == 3)
    assert {entry["status"] for entry in placing.callbacks(connection_id)} == {None}
    assert all(entry["error"] for entry in placing.callbacks(connection_id))


def test_twice_sends_each_callback_twice(placing: Sandbox, create: Create, listener: Listener) -> None:
    placing.faults({"kind": "twice", "times": 2})
    placing.configure(idle_seconds=0)
    create()
    wait_until(lambda: ended(listener))
    assert listener.statuses() == ["connecting", "connecting", "connected", "connected", "finished"]


def test_shuffled_sends_the_following_callback_first(
    placing: Sandbox, create: Create, listener: Listener
) -> None:
    placing.faults({"kind": "shuffled"})
    placing.configure(idle_seconds=0)
    create()
    wait_until(lambda: len(listener.statuses()) == 3)
    assert listener.statuses() == ["connected", "connecting", "finished"]


def test_a_held_back_callback_comes_in_the_end(placing: Sandbox, create: Create, listener: Listener) -> None:
    placing.faults({"kind": "shuffled", "of": "connected"}, {"kind": "lost", "of": "finished"})
    placing.configure(idle_seconds=0)
    create()
    wait_until(lambda: len(listener.statuses()) == 2)
    assert listener.statuses() == ["connecting", "connected"]


def test_lost_callbacks_are_never_sent_and_the_call_goes_on(
    placing: Sandbox, create: Create, listener: Listener
) -> None:
    placing.faults({"kind": "lost", "times": 1, "skip": 1})
    placing.configure(idle_seconds=0)
    connection_id = create()
    wait_until(lambda: ended(listener))
    assert listener.statuses() == ["connecting", "finished"]
    assert len(placing.callbacks(connection_id)) == 2


def test_late_callbacks_keep_their_order_and_nothing_waits_for_them(
    placing: Sandbox, create: Create, listener: Listener
) -> None:
    placing.faults({"kind": "late", "seconds": 0.5, "of": "connected"})
    placing.configure(idle_seconds=0)
    began = time.monotonic()
    connection_id = create()
    wait_until(lambda: placing.call(connection_id)["connection"]["status"] == "finished")
    assert "connected" not in listener.statuses()
    wait_until(lambda: listener.statuses() == ALL)
    assert time.monotonic() - began > 0.5


def test_faults_of_callbacks_leave_requests_alone_and_cannot_be_mixed_up(
    placing: Sandbox, create: Create
) -> None:
    placing.faults({"kind": "lost", "times": 9})
    create()
    for wrong in ({"kind": "lost", "on": "list"}, {"kind": "cut", "on": "callback"}, {"of": "banana"}):
        refused = requests.put(f"{placing.base}/_sandbox/faults", json=[{"kind": "twice"} | wrong], timeout=5)
        assert (wrong, refused.status_code) == (wrong, 400)


def test_it_ends_at_once_though_a_callback_is_not_answered(listener: Listener) -> None:
    listener.answers = lambda path, body: time.sleep(30)
    with running_sandbox("--calls", "5", "--rate", "0") as sandbox:
        sandbox.configure(on_incoming=f"{listener.url}/incoming")
        sandbox.incoming()
        wait_until(lambda: listener.heard)
        began = time.monotonic()
    assert time.monotonic() - began < 3
