"""The test face changes the world, and says what came in."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.conftest import ACCOUNT, TOKEN, Sandbox, running_sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox("--calls", "60", "--rate", "0") as sandbox:
        yield sandbox


def get(sandbox: Sandbox, path: str = "/connections") -> Any:
    return requests.get(sandbox.url + path, auth=(ACCOUNT, TOKEN), timeout=10).json()


def own(sandbox: Sandbox, method: str, path: str, body: Any = None) -> requests.Response:
    return requests.request(method, f"{sandbox.base}/_sandbox/{path}", json=body, timeout=10)


def test_added_calls_come_at_the_new_end_as_given(sandbox: Sandbox) -> None:
    sandbox.add({"connection_id": "given", "status": "connected", "started": "kept too"}, 7, count=1)
    invented, no_object, given = get(sandbox)["results"][:3]
    assert invented["connection_id"] in sandbox.ids()
    assert no_object == 7
    assert (given["connection_id"], given["status"], given["started"]) == ("given", "connected", "kept too")


def test_raw_rows_go_in_with_nothing_invented(sandbox: Sandbox) -> None:
    own(sandbox, "POST", "calls", {"raw": [{"status": "finished"}]})
    assert get(sandbox)["results"][0] == {"status": "finished"}


def test_a_call_can_be_changed_and_forgotten(sandbox: Sandbox) -> None:
    connection_id = sandbox.oldest_first()[-1]
    sandbox.change(connection_id, status="connected", end_time=None)
    changed = get(sandbox, f"/connections/{connection_id}")
    assert (changed["status"], "end_time" in changed) == ("connected", False)
    sandbox.forget(connection_id)
    assert list(get(sandbox, f"/connections/{connection_id}")) == ["error"]
    assert connection_id not in sandbox.ids()


def test_pages_lead_back_past_forgotten_calls(sandbox: Sandbox) -> None:
    sandbox.forget(sandbox.oldest_first()[-2])
    first = get(sandbox)
    second = get(sandbox, first["next"].removeprefix(sandbox.url))
    back = get(sandbox, second["previous"].removeprefix(sandbox.url))
    assert back["results"] == first["results"]
    assert back["previous"] is None


def test_the_log_lists_requests_since_a_number_and_never_who_sent_them(sandbox: Sandbox) -> None:
    get(sandbox)
    requests.post(f"{sandbox.url}/connections?a=1", json={"x": 1}, auth=(ACCOUNT, TOKEN), timeout=5)
    (entry,) = own(sandbox, "GET", "log?since=1").json()["log"]
    assert (entry["number"], entry["method"], entry["path"]) == (2, "POST", "/v0/connections")
    assert (entry["query"], entry["body"]) == ({"a": "1"}, '{"x": 1}')
    assert not {"authorization", "headers"} & entry.keys()


def test_settings_change_at_run_time_and_wrong_ones_are_refused(sandbox: Sandbox) -> None:
    sandbox.configure(order="oldest", page_size=20)
    assert [row["connection_id"] for row in get(sandbox)["results"]] == sandbox.oldest_first()[:20]
    for wrong in ({"page_size": 0}, {"rate": -1}, {"order": "random"}, {"colour": 1}, [1]):
        assert own(sandbox, "PUT", "settings", wrong).status_code == 400
    assert len(get(sandbox)["results"]) == 20


def test_it_is_well(sandbox: Sandbox) -> None:
    assert own(sandbox, "GET", "health").json() == {"ok": True}


def test_nothing_of_sift_is_served_beside_the_prefix(sandbox: Sandbox) -> None:
    for path in ("/connections", "/v0x/connections", "/v0/connections/a/b", "/v0/connectionsx"):
        answer = requests.get(sandbox.base + path, auth=(ACCOUNT, TOKEN), timeout=5)
        assert (path, answer.status_code, list(answer.json())) == (path, 404, ["error"])


def test_it_ends_at_once_with_connections_open() -> None:
    with running_sandbox("--calls", "10") as sandbox, requests.Session() as kept:
        kept.get(f"{sandbox.url}/connections", auth=(ACCOUNT, TOKEN), timeout=5)
        sandbox.ids()
    assert_gone(sandbox)


def assert_gone(sandbox: Sandbox) -> None:
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{sandbox.base}/_sandbox/health", timeout=5)
