"""`SIFT_REQUESTS_PER_SECOND` limits how often the account is read, and delays no person."""

import threading
import time

import pytest
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured

from connections_app.engines import valkey
from connections_app.models import Walk
from connections_app.sift import pacing
from connections_app.sift.client import SiftClient
from connections_app.sift.outcomes import Placed
from sift_dashboard.environment import Environment
from tests.conftest import Sandbox
from tests.sync.test_walking import sync


@pytest.mark.django_db
def test_a_walk_keeps_to_it(sandbox: Sandbox, settings: LazySettings) -> None:
    settings.SIFT_REQUESTS_PER_SECOND = 20.0
    assert sync().state == Walk.State.COMPLETED
    asked = [entry["at"] for entry in sandbox.log()]
    assert len(asked) >= 10
    assert asked[-1] - asked[0] >= 0.9 * (len(asked) - 1) / 20


def read(client: SiftClient, times: int) -> None:
    for _ in range(times):
        client.list_page(client.list_url)


def test_all_clients_of_the_account_share_it(sandbox: Sandbox, settings: LazySettings) -> None:
    settings.SIFT_REQUESTS_PER_SECOND = 25.0
    began = time.monotonic()
    threads = [threading.Thread(target=read, args=(SiftClient.configured(), 5)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began >= 0.9 * 14 / 25


def test_while_valkey_is_away_each_process_keeps_to_it(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SIFT_REQUESTS_PER_SECOND = 2.0
    monkeypatch.setattr(valkey.server, "is_open", True)
    monkeypatch.setattr(pacing, "_own", pacing._Turns())
    assert pacing.turn() == 0
    assert 0.4 < pacing.turn() <= 0.5


@pytest.mark.parametrize("value", ["fast", "-1", "0", "0.05", "1001", "1e2", "nan", "inf", "5,5", "٣"])
def test_a_wrong_limit_is_refused_with_what_was_expected(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"LIMIT is '.*'; expected a number from 0.1 to 1000"):
        Environment({"LIMIT": value}).number("LIMIT", 0.1, 1000)


@pytest.mark.parametrize(
    ("value", "meant"), [("", None), (" ", None), ("5", 5.0), ("0.5", 0.5), ("1000", 1000.0)]
)
def test_a_limit_may_have_a_fraction_and_may_be_unset(value: str, meant: float | None) -> None:
    assert Environment({"LIMIT": value}).number("LIMIT", 0.1, 1000) == meant


def test_a_turn_is_never_far_away(settings: LazySettings) -> None:
    settings.SIFT_REQUESTS_PER_SECOND = 0.1
    assert max(pacing.turn() for _ in range(5)) <= pacing.LONGEST_WAIT_SECONDS


def test_placing_and_what_follows_it_wait_for_nothing(sandbox: Sandbox, settings: LazySettings) -> None:
    settings.SIFT_REQUESTS_PER_SECOND = 0.1
    urgent = SiftClient.configured(is_urgent=True)
    began = time.monotonic()
    read(urgent.with_short_timeout(), 4)
    assert isinstance(urgent.place({"phone_number": "+14155550142"}, "http://127.0.0.1:9/"), Placed)
    # With turns it would take over half a minute.
    assert time.monotonic() - began < 8
