"""A session ends when its person asks for nothing for a while; what pages ask by themselves is nothing."""

import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from connections_app.live.visitors import find_ended, visitor

# One kind for the whole file: those that empty the tables must come after all others.
pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

WHOLE = timedelta(hours=12)


def has_left(time: timedelta) -> None:
    """As if the person had last asked so long ago that this much is left of the session."""
    Session.objects.update(expire_date=timezone.now() + time)


def is_left() -> timedelta:
    return Session.objects.get().expire_date - timezone.now()


def is_whole() -> bool:
    return WHOLE - timedelta(seconds=30) < is_left() <= WHOLE


def test_a_request_puts_the_end_off(signed_in: Client) -> None:
    has_left(timedelta(minutes=5))
    answer = signed_in.get("/calls/")
    assert is_whole()
    assert answer.cookies["sessionid"]["max-age"] == WHOLE.total_seconds()


@pytest.mark.parametrize("address", ["/", "/sync/", "/calls/search/?q=415"])
def test_what_a_page_requests_by_itself_does_not_extend_the_session(signed_in: Client, address: str) -> None:
    has_left(timedelta(minutes=5))
    answer = signed_in.get(address, headers={"HX-Request": "true", "X-Background": "yes"})
    assert answer.status_code == 200
    assert is_left() < timedelta(minutes=5)
    assert "sessionid" not in answer.cookies


@pytest.mark.parametrize("address", ["/healthz", "/readyz", "/accounts/login/", f"/wall/{'x' * 43}/"])
def test_pages_that_are_open_to_all_put_nothing_off(signed_in: Client, address: str) -> None:
    has_left(timedelta(minutes=5))
    signed_in.get(address)
    assert is_left() < timedelta(minutes=5)


def test_it_is_not_written_at_every_request(signed_in: Client) -> None:
    has_left(WHOLE - timedelta(seconds=40))
    answer = signed_in.get("/calls/")
    assert is_left() < WHOLE - timedelta(seconds=39)
    assert "sessionid" not in answer.cookies


def test_who_was_away_too_long_signs_in_again(signed_in: Client) -> None:
    has_left(timedelta(seconds=-1))
    answer = signed_in.get("/calls/?q=7")
    assert answer["Location"] == "/accounts/login/?next=/calls/%3Fq%3D7"


def test_a_shorter_limit_holds_for_sessions_that_there_are(signed_in: Client, settings: LazySettings) -> None:
    settings.SESSION_COOKIE_AGE = 300
    signed_in.get("/calls/")
    assert is_left() <= timedelta(minutes=5)


def test_a_refused_action_puts_the_end_off_too(signed_in: Client) -> None:
    has_left(timedelta(minutes=5))
    assert signed_in.post("/calls/place/").status_code == 403
    assert is_whole()


def test_who_signs_out_meanwhile_stays_signed_out(signed_in: Client) -> None:
    signed_in.get("/calls/")
    has_left(timedelta(minutes=5))
    key = signed_in.cookies["sessionid"].value
    signed_in.post("/accounts/logout/")
    signed_in.cookies["sessionid"] = key
    assert signed_in.get("/calls/").status_code == 302
    assert not Session.objects.filter(session_key=key).exists()


def test_the_stream_keeps_nobody_signed_in(signed_in: Client) -> None:
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/events/",
        "query_string": b"brief",
        "headers": [
            (b"host", b"localhost"),
            (b"cookie", f"sessionid={signed_in.cookies['sessionid'].value}".encode()),
        ],
    }
    has_left(timedelta(minutes=5))
    watching = visitor(scope)
    assert watching is not None
    assert is_left() < timedelta(minutes=5)
    has_left(timedelta(seconds=-1))
    assert find_ended([watching]) == {watching: "signed-out"}


def settings_with(minutes: str) -> "subprocess.CompletedProcess[str]":
    command = "from sift_dashboard import settings; print(settings.SESSION_COOKIE_AGE)"
    environment = os.environ | {"SESSION_IDLE_MINUTES": minutes}
    return subprocess.run([sys.executable, "-c", command], env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(("minutes", "seconds"), [("", 43_200), ("5", 300), ("43200", 2_592_000)])
def test_the_limit_is_set_by_the_environment(minutes: str, seconds: int) -> None:
    assert settings_with(minutes).stdout == f"{seconds}\n"


@pytest.mark.parametrize("minutes", ["4", "43201", "12.5", "twelve"])
def test_a_limit_that_is_none_stops_the_start(minutes: str) -> None:
    expected = f"SESSION_IDLE_MINUTES is '{minutes}'; expected a whole number from 5 to 43200."
    assert expected in settings_with(minutes).stderr
