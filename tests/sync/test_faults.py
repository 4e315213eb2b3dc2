"""Whatever Sift answers, a walk ends with words that say what happened, or goes on where it can."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from connections_app.models import SyncState, Walk
from connections_app.sync import account, tasks
from tests.conftest import Sandbox, our_ids
from tests.sync.test_walking import sync

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "status", "status": 400}, "Sift refused (400): A fault of the sandbox"),
        ({"kind": "status", "status": 401}, "Check SIFT_ACCOUNT_ID and SIFT_AUTH_TOKEN"),
        ({"kind": "status", "status": 429, "retry_after": 90}, "Sift answered 429 and asks to wait 90 s"),
        ({"kind": "redirect"}, "Set SIFT_API_URL to the address that the API has now"),
        ({"kind": "foreign_next"}, "leads to https://elsewhere.example/v0/connections, outside SIFT_API_URL"),
        ({"kind": "not_a_page"}, "not a page of a list"),
        ({"kind": "endless_body"}, "larger than 16 MB"),
    ],
)
def test_a_final_fault_fails_the_walk_in_words(sandbox: Sandbox, fault: dict[str, Any], words: str) -> None:
    sandbox.faults(fault)
    made = sync()
    assert made.state == Walk.State.FAILED
    assert words in made.error
    state = SyncState.objects.get()
    assert (state.error, state.failing_since is None) == (made.error, False)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 429, "retry_after": 0, "times": 2},
        {"kind": "status", "status": 500, "times": 2},
        {"kind": "status", "status": 503, "times": 1, "skip": 4},
        {"kind": "cut", "times": 1, "skip": 2},
        {"kind": "wrong_json", "times": 1, "skip": 1},
    ],
)
def test_a_passing_fault_is_outlived(sandbox: Sandbox, fault: dict[str, Any]) -> None:
    sandbox.faults(fault)
    assert sync().state == Walk.State.COMPLETED
    assert our_ids() == sandbox.ids()


def test_a_server_that_is_not_there_is_named(settings: LazySettings) -> None:
    settings.SIFT_API_URL = "http://127.0.0.1:9/v0"
    made = sync()
    assert made.error == "No connection to Sift at http://127.0.0.1:9/v0."


def test_wrong_credentials_are_not_tried_again(sandbox: Sandbox, settings: LazySettings) -> None:
    settings.SIFT_AUTH_TOKEN = "wrong-secret"
    made = sync()
    assert "Sift refused the credentials (401): Invalid account id or auth token." in made.error
    assert "wrong-secret" not in made.error
    assert len(sandbox.log()) == 1


def test_retry_after_keeps_the_schedule_away_until_then(sandbox: Sandbox) -> None:
    sandbox.faults({"kind": "status", "status": 429, "retry_after": 300})
    sync()
    asked = len(sandbox.log())
    tasks.sync()
    assert len(sandbox.log()) == asked
    not_before = SyncState.objects.get().not_before
    assert not_before is not None
    assert 290 < (not_before - timezone.now()).total_seconds() <= 300


def test_the_next_good_walk_clears_the_failure(sandbox: Sandbox) -> None:
    sandbox.faults({"kind": "status", "status": 400})
    sync()
    sandbox.faults()
    sync()
    state = SyncState.objects.get()
    assert (state.failing_since, state.error, state.not_before) == (None, "", None)


def test_links_that_lead_round_in_a_circle_end(make_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = make_sandbox("--calls", "200")
    first = sandbox.url + "/connections"
    sandbox.faults({"kind": "foreign_next", "url": first, "skip": 2})
    made = sync()
    assert "round in a circle" in made.error


def test_another_account_is_refused_with_what_to_do(sandbox: Sandbox, settings: LazySettings) -> None:
    sync()
    settings.SIFT_ACCOUNT_ID = "another"
    with pytest.raises(account.WrongAccount, match="another DATABASE_URL, or another DATA_DIR"):
        sync()


def test_the_same_account_can_follow_its_api_to_a_new_address(
    make_sandbox: Callable[..., Sandbox], settings: LazySettings
) -> None:
    make_sandbox("--calls", "10")
    sync()
    make_sandbox("--calls", "10")
    with pytest.raises(account.WrongAccount, match="adopt_api_address"):
        sync()
    account.adopt_api_address()
    assert sync().state == Walk.State.COMPLETED
