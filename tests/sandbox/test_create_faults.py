"""Faults of creating calls and setting routines: some call nobody, the others come after the call is made."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.conftest import Sandbox, wait_until

WANTED = {"status_url": "http://127.0.0.1:9/", "client_name": "ana"}
Post = Callable[..., requests.Response]


def calls_made(sandbox: Sandbox, act: Callable[[], Any]) -> int:
    before = sandbox.ids()
    act()
    return len(sandbox.ids() - before)


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ({"kind": "status", "status": 402, "words": "No credit."}, 402, b'{"error": "No credit."}'),
        ({"kind": "wrong_json"}, 200, b"<html>It works!</html>"),
        ({"kind": "redirect"}, 302, b""),
    ],
)
def test_these_faults_call_nobody(
    placing: Sandbox, post: Post, fault: dict[str, Any], status: int, body: bytes
) -> None:
    placing.faults(fault | {"on": "create"})

    def act() -> None:
        answer = post("/connections", WANTED, allow_redirects=False)
        assert (answer.status_code, answer.content) == (status, body)

    assert calls_made(placing, act) == 0


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ({"kind": "empty"}, 200, b""),
        ({"kind": "status_after", "status": 503, "words": "Busy."}, 503, b'{"error": "Busy."}'),
    ],
)
def test_these_faults_come_after_the_call_was_made(
    placing: Sandbox, post: Post, fault: dict[str, Any], status: int, body: bytes
) -> None:
    placing.faults(fault)

    def act() -> None:
        answer = post("/connections", WANTED)
        assert (answer.status_code, answer.content) == (status, body)

    assert calls_made(placing, act) == 1


@pytest.mark.parametrize("fault", [{"kind": "never"}, {"kind": "slow_after", "seconds": 5}])
def test_the_call_is_made_though_no_answer_comes_in_time(
    placing: Sandbox, post: Post, fault: dict[str, Any]
) -> None:
    placing.faults(fault)

    def act() -> None:
        with pytest.raises(requests.ReadTimeout):
            post("/connections", WANTED, timeout=0.2)

    assert calls_made(placing, act) == 1


def test_the_call_is_made_though_the_answer_is_cut(placing: Sandbox, post: Post) -> None:
    placing.faults({"kind": "cut"})

    def act() -> None:
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            post("/connections", WANTED)

    assert calls_made(placing, act) == 1


def test_a_slow_create_makes_its_call_late_even_when_nobody_waits_for_it(
    placing: Sandbox, post: Post
) -> None:
    placing.faults({"kind": "slow", "seconds": 0.5})
    before, began = placing.ids(), time.monotonic()
    with pytest.raises(requests.ReadTimeout):
        post("/connections", WANTED, timeout=0.1)
    assert placing.ids() == before
    wait_until(lambda: len(placing.ids() - before) == 1)
    assert time.monotonic() - began > 0.4


def test_a_refused_create_stays_refused_when_the_fault_would_come_after(placing: Sandbox, post: Post) -> None:
    placing.faults({"kind": "status_after", "status": 503}, {"kind": "empty"})
    assert post("/connections", {}).status_code == 400


def test_a_routine_is_set_though_the_answer_is_cut(
    placing: Sandbox, post: Post, create: Callable[..., str]
) -> None:
    connection_id = create("+14155550001")
    placing.faults({"kind": "cut", "on": "routine"})
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        post(f"/connections/{connection_id}", {"routine": [{"name": "HangUp"}]})
    assert placing.call(connection_id)["connection"]["status"] == "finished"
