"""Each fault does what its name says, as often as it was told, and to nothing else."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.conftest import ACCOUNT, TOKEN, Sandbox, running_sandbox


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    with running_sandbox("--calls", "120", "--rate", "0") as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared: Sandbox) -> Iterator[Sandbox]:
    yield shared
    shared.faults()


def get(sandbox: Sandbox, path: str = "/connections", **options: Any) -> requests.Response:
    return requests.get(sandbox.url + path, auth=(ACCOUNT, TOKEN), timeout=10, **options)


def one_call(sandbox: Sandbox) -> str:
    return f"/connections/{sandbox.oldest_first()[0]}"


def test_a_status_comes_so_often_with_its_retry_after_and_then_no_more(sandbox: Sandbox) -> None:
    sandbox.faults({"kind": "status", "status": 429, "retry_after": 2, "times": 2, "skip": 1})
    answers = [get(sandbox) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 429, 429, 200]
    assert answers[1].headers["Retry-After"] == "2"
    assert list(answers[1].json()) == ["error"]


def test_a_fault_on_one_call_of_the_api_leaves_the_others_alone(sandbox: Sandbox) -> None:
    sandbox.faults({"kind": "status", "status": 500, "on": "retrieve"})
    assert get(sandbox).status_code == 200
    assert get(sandbox, one_call(sandbox)).status_code == 500


def test_slow_outlasts_a_clients_patience(sandbox: Sandbox) -> None:
    sandbox.faults({"kind": "slow", "seconds": 30, "times": 1})
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{sandbox.url}/connections", auth=(ACCOUNT, TOKEN), timeout=0.2)
    assert get(sandbox).status_code == 200


def test_cut_ends_the_body_half_way(sandbox: Sandbox) -> None:
    sandbox.faults({"kind": "cut"})
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        get(sandbox)


def test_wrong_json_and_not_a_page_are_200_nevertheless(sandbox: Sandbox) -> None:
    sandbox.faults({"kind": "wrong_json", "times": 1}, {"kind": "not_a_page"})
    wrong, no_page = get(sandbox), get(sandbox)
    assert (wrong.status_code, no_page.status_code) == (200, 200)
    with pytest.raises(requests.JSONDecodeError):
        wrong.json()
    assert not isinstance(no_page.json()["results"], list)


def test_redirect_names_another_place(sandbox: Sandbox) -> None:
    sandbox.faults({"kind": "redirect", "location": "https://evil.example/"})
    answer = get(sandbox, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (302, "https://evil.example/")


def test_foreign_next_leads_elsewhere_and_retrieves_stay_as_they_are(sandbox: Sandbox) -> None:
    sandbox.faults({"kind": "foreign_next", "url": "https://evil.example/?cursor=x", "times": 1})
    assert "next" not in get(sandbox, one_call(sandbox)).json()
    assert get(sandbox).json()["next"] == "https://evil.example/?cursor=x"


def test_broken_rows_come_before_the_good_ones(sandbox: Sandbox) -> None:
    good = get(sandbox).json()["results"]
    sandbox.faults({"kind": "broken_rows", "count": 10})
    answer = get(sandbox)
    rows = answer.json()["results"]
    assert rows[-len(good) :] == good
    assert any(not isinstance(row, dict) for row in rows)
    assert rb"\u0000" in answer.content
    assert rb"\ud800" in answer.content


def test_broken_rows_on_an_empty_list_are_still_json() -> None:
    with running_sandbox("--calls", "0", "--rate", "0") as sandbox:
        sandbox.faults({"kind": "broken_rows", "count": 3})
        assert len(get(sandbox).json()["results"]) == 7


def test_refuse_cursor_counts_only_requests_with_a_cursor(sandbox: Sandbox) -> None:
    sandbox.faults({"kind": "refuse_cursor", "times": 1})
    following = get(sandbox).json()["next"].removeprefix(sandbox.url)
    assert get(sandbox, following).status_code == 404
    assert get(sandbox, following).status_code == 200


def test_endless_body_goes_on_beyond_any_page(sandbox: Sandbox) -> None:
    sandbox.faults({"kind": "endless_body"})
    with get(sandbox, stream=True) as answer:
        read = 0
        for chunk in answer.iter_content(65536):
            read += len(chunk)
            if read > 8 * 1024 * 1024:
                break
    assert read > 8 * 1024 * 1024


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_a_list_that_grows_as_it_is_read_gives_every_earlier_call_once(order: str) -> None:
    with running_sandbox("--calls", "230", "--rate", "0", "--order", order) as sandbox:
        before = sandbox.ids()
        sandbox.faults({"kind": "grow", "per_page": 5, "times": 4})
        get(sandbox, one_call(sandbox))
        assert sandbox.ids() == before
        seen, url = [], "/connections"
        while url:
            page = get(sandbox, url).json()
            seen += [row["connection_id"] for row in page["results"]]
            url = (page["next"] or "").removeprefix(sandbox.url)
        after = sandbox.ids()
    assert len(seen) == len(set(seen))
    assert before <= set(seen)
    assert len(after - before) == 20


def test_faults_are_listed_and_removed_and_an_unknown_one_is_refused(sandbox: Sandbox) -> None:
    face = f"{sandbox.base}/_sandbox/faults"
    sandbox.faults({"kind": "cut", "times": 3})
    assert [(fault["kind"], fault["times"]) for fault in requests.get(face, timeout=5).json()] == [("cut", 3)]
    for wrong in ([{"kind": "earthquake"}], [{"kind": "cut", "on": "banana"}], {"kind": "cut"}):
        refused = requests.put(face, data=json.dumps(wrong), timeout=5)
        assert (refused.status_code, list(refused.json())) == (400, ["error"])
    requests.delete(face, timeout=5)
    assert requests.get(face, timeout=5).json() == []
