"""The sandbox keeps to Sift's contract, so that what is shown against it holds against Sift."""

from pathlib import Path
from typing import Any

import phonenumbers
import pytest
import requests

from tests.conftest import ACCOUNT, TOKEN, Sandbox, running_sandbox, wait_until

Row = dict[str, Any]


def get(sandbox: Sandbox, url: str = "", **options: Any) -> requests.Response:
    address = url or f"{sandbox.url}/connections"
    return requests.get(address, auth=(ACCOUNT, TOKEN), timeout=10, **options)


def whole_list(sandbox: Sandbox) -> list[Row]:
    rows, url = [], f"{sandbox.url}/connections"
    while url:
        page = get(sandbox, url).json()
        rows += page["results"]
        url = page["next"]
    return rows


def is_valid(number: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_paging_gives_every_call_once_and_in_order(order: str) -> None:
    with running_sandbox("--calls", "230", "--rate", "0", "--order", order) as sandbox:
        ids = [row["connection_id"] for row in whole_list(sandbox)]
        oldest_first = sandbox.oldest_first()
    assert ids == (oldest_first if order == "oldest" else oldest_first[::-1])
    assert len(set(ids)) == 230


def test_pages_lead_back_as_well() -> None:
    with running_sandbox("--calls", "130", "--rate", "0") as sandbox:
        first = get(sandbox).json()
        second = get(sandbox, first["next"]).json()
        back = get(sandbox, second["previous"]).json()
    assert first["previous"] is None
    assert back["results"] == first["results"]


def test_the_same_seed_makes_the_same_calls() -> None:
    def parties(seed: str) -> list[tuple[str, str, str]]:
        with running_sandbox("--calls", "60", "--rate", "0", "--seed", seed) as sandbox:
            return [(row["connection_id"], row["from"], row["to"]) for row in whole_list(sandbox)]

    assert parties("7") == parties("7")
    assert parties("7") != parties("8")


def test_rows_look_like_the_vendors() -> None:
    with running_sandbox("--calls", "1000", "--rate", "0") as sandbox:
        rows = whole_list(sandbox)
        kinds = {type(row.get("client_data")) for row in rows}
    lacking = sum(not {"direction", "end_time"} <= row.keys() for row in rows if row["status"] == "finished")
    assert 0.1 < lacking / len(rows) < 0.2
    assert kinds == {type(None), dict, list, str, int, bool}
    numbers = [end for row in rows for end in (row["from"], row["to"]) if end.startswith("+")]
    valid = [number for number in numbers if is_valid(number)]
    assert 0.95 < len(valid) / len(numbers) < 1


def test_one_call_is_retrieved_in_full_and_an_unknown_one_is_404() -> None:
    with running_sandbox("--calls", "50", "--rate", "0") as sandbox:
        wanted = sandbox.oldest_first()[3]
        found = get(sandbox, f"{sandbox.url}/connections/{wanted}")
        unknown = get(sandbox, f"{sandbox.url}/connections/nobody")
    assert found.json()["connection_id"] == wanted
    assert "direction" in found.json()
    assert (unknown.status_code, list(unknown.json())) == (404, ["error"])


def test_wrong_credentials_methods_paths_and_cursors_are_errors_in_json() -> None:
    with running_sandbox("--calls", "10", "--rate", "0") as sandbox:
        url = f"{sandbox.url}/connections"
        answers = [
            (requests.get(url, auth=(ACCOUNT, "wrong"), timeout=5), 401),
            (requests.delete(url, auth=(ACCOUNT, TOKEN), timeout=5), 405),
            (get(sandbox, f"{sandbox.url}/elsewhere"), 404),
            (get(sandbox, f"{url}?cursor=banana"), 404),
        ]
        log = sandbox.log()
    for answer, status in answers:
        assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert TOKEN not in str(log)


def test_living_calls_ring_connect_and_end() -> None:
    with running_sandbox("--calls", "10", "--rate", "600") as sandbox:
        statuses: set[str] = set()

        def all_seen() -> bool:
            statuses.update(row["status"] for row in get(sandbox).json()["results"])
            return {"connecting", "connected"} <= statuses

        wait_until(all_seen, 20)


def test_calls_are_kept_from_start_to_start(tmp_path: Path) -> None:
    options = ("--calls", "20", "--rate", "0", "--state", str(tmp_path / "state.json"))
    with running_sandbox(*options) as sandbox:
        before = sandbox.oldest_first()
        added = sandbox.add({"connection_id": "kept", "status": "connected"}, count=1)
    with running_sandbox(*options) as sandbox:
        assert sandbox.oldest_first() == before + [row["connection_id"] for row in added]
        assert get(sandbox, f"{sandbox.url}/connections/kept").json()["status"] == "finished"
        assert sandbox.add(count=1)[0]["connection_id"] not in before
