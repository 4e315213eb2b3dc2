"""Creating a connection calls somebody: what Sift takes, what it answers, and what then comes of the call."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.conftest import ACCOUNT, TOKEN, Sandbox, running_sandbox, wait_until
from tests.sandbox.listener import Listener

URL = "http://127.0.0.1:9/status"
NUMBER = "+14155550123"
Post = Callable[..., requests.Response]
Create = Callable[..., str]


def place(sandbox: Sandbox, number: str, status_url: str = URL) -> str:
    body = {"status_url": status_url, "phone_number": number}
    answer = requests.post(f"{sandbox.url}/connections", json=body, auth=(ACCOUNT, TOKEN), timeout=5)
    return str(answer.json()["connection_id"])


def connection(sandbox: Sandbox, connection_id: str) -> dict[str, Any]:
    return dict(sandbox.call(connection_id)["connection"])


def status(sandbox: Sandbox, connection_id: str) -> str:
    return str(connection(sandbox, connection_id)["status"])


def test_a_number_is_called_and_its_call_is_first_in_the_list_at_once(placing: Sandbox, post: Post) -> None:
    placing.configure(answers="never")
    answer = post("/connections", {"status_url": URL, "phone_number": NUMBER})
    row = answer.json()
    assert (answer.status_code, row["status"], row["to"]) == (200, "connecting", NUMBER)
    assert (row["from"][0], row["direction"], "start_time" in row) == ("+", "incoming", False)
    listed = requests.get(f"{placing.url}/connections", auth=(ACCOUNT, TOKEN), timeout=5).json()
    assert listed["results"][0] == row


def test_a_client_is_called_by_name(post: Post) -> None:
    assert post("/connections", {"status_url": URL, "client_name": "ana"}).json()["to"] == "webrtc:ana"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"phone_number": NUMBER}, "status_url"),
        ({"status_url": "ftp://example.com", "phone_number": NUMBER}, "status_url"),
        ({"status_url": "http://example.com:99999", "phone_number": NUMBER}, "status_url"),
        ({"status_url": URL}, "client_name"),
        ({"status_url": URL, "phone_number": NUMBER, "client_name": "ana"}, "client_name"),
        ({"status_url": URL, "phone_number": "4155550123"}, "phone_number"),
        ({"status_url": URL, "client_name": " "}, "client_name"),
        (["no", "object"], "object"),
    ],
)
def test_a_wrong_create_is_refused_with_the_field_and_calls_nobody(
    placing: Sandbox, post: Post, body: Any, field: str
) -> None:
    before = placing.ids()
    answer = post("/connections", body)
    assert answer.status_code == 400
    assert field in answer.json()["error"]
    assert placing.ids() == before


@pytest.mark.parametrize(("choice", "fields"), [("id", ["connection_id"]), ("empty", None)])
def test_what_a_create_answers_can_be_chosen(
    placing: Sandbox, post: Post, choice: str, fields: list[str] | None
) -> None:
    placing.configure(create_answer=choice)
    before = placing.ids()
    answer = post("/connections", {"status_url": URL, "phone_number": NUMBER})
    assert answer.status_code == 200
    assert (list(answer.json()) if answer.content else None) == fields
    assert len(placing.ids() - before) == 1


def test_a_call_rings_connects_and_ends_and_says_so(
    placing: Sandbox, create: Create, listener: Listener
) -> None:
    placing.configure(idle_seconds=1)
    connection_id = create()
    wait_until(lambda: listener.statuses() == ["connecting", "connected", "finished"])
    (_, first), (_, second), (_, last) = listener.heard
    assert first["account_id"] == ACCOUNT
    assert {body["connection"]["connection_id"] for body in (first, second, last)} == {connection_id}
    assert "start_time" not in first["connection"]
    assert "start_time" in second["connection"]
    assert last["connection"] == connection(placing, connection_id)
    assert "end_time" in last["connection"]


def test_a_call_may_fail(placing: Sandbox, create: Create, listener: Listener) -> None:
    placing.configure(answers="failed")
    connection_id = create()
    wait_until(lambda: listener.statuses() == ["connecting", "failed"])
    assert not {"start_time", "end_time"} & connection(placing, connection_id).keys()


def test_most_calls_answer_after_two_to_six_seconds_by_chance(listener: Listener) -> None:
    with running_sandbox("--calls", "20", "--rate", "0") as sandbox:
        sandbox.configure(speed=20, idle_seconds=1200)
        made = [place(sandbox, NUMBER, listener.url) for _ in range(50)]
        wait_until(lambda: len(sandbox.callbacks()) == 2 * len(made))
        asked = [entry["at"] for entry in sandbox.log()]
        told = [sandbox.callbacks(one)[1] for one in made]
    assert 40 <= sum(entry["kind"] == "connected" for entry in told) < 50
    rang = [entry["at"] - at for at, entry in zip(asked, told, strict=True)]
    assert min(rang) > 1.9 / 20
    assert max(rang) < 6 / 20 + 2


def test_special_numbers_are_refused_ring_on_or_fail(placing: Sandbox, post: Post, create: Create) -> None:
    refused = post("/connections", {"status_url": URL, "phone_number": "+14155550000"})
    assert (refused.status_code, list(refused.json())) == (400, ["error"])
    unanswered, unreachable, answered = create("+14155550001"), create("+14155550002"), create()
    wait_until(lambda: status(placing, unreachable) == "failed" and status(placing, answered) == "connected")
    assert status(placing, unanswered) == "connecting"


def test_every_create_is_in_the_log_with_its_body(placing: Sandbox, post: Post) -> None:
    placing.faults({"kind": "status", "times": 1})
    body = {"status_url": URL, "client_name": "logged"}
    assert [post("/connections", body).status_code for _ in range(2)] == [500, 200]
    assert placing.creates()[-2:] == [body, body]


def test_calls_under_way_are_over_after_a_restart(tmp_path: Path) -> None:
    options = ("--calls", "5", "--rate", "0", "--state", str(tmp_path / "state.json"))
    with running_sandbox(*options) as sandbox:
        sandbox.configure(answers="connected", ring_seconds=0)
        numbers = (NUMBER, "+14155550001")
        made = [place(sandbox, number) for number in numbers]
        wait_until(lambda: [status(sandbox, one) for one in made] == ["connected", "connecting"])
    with running_sandbox(*options) as sandbox:
        assert [status(sandbox, one) for one in made] == ["finished", "failed"]
