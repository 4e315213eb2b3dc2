"""Each person has a time zone and a theme, and sees times accordingly."""

import pytest
from django.test import Client
from pytest_django.asserts import assertContains

from connections_app.models import Operator
from tests.factories import seen

pytestmark = pytest.mark.django_db


def test_times_are_shown_in_the_persons_zone(signed_in: Client) -> None:
    seen({"connection_id": "a1", "start_time": "2026-01-10T23:30:00Z"})
    assertContains(signed_in.get("/calls/a1/"), "Sunday 11 January 2026, 00:30:00 CET")
    signed_in.post("/accounts/preferences/", {"time_zone": "America/New_York", "theme": "dark"})
    answer = signed_in.get("/calls/a1/")
    assertContains(answer, "Saturday 10 January 2026, 18:30:00 EST")
    assertContains(answer, 'data-theme="dark"')


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "\x00", "x" * 500])
def test_a_zone_that_is_none_is_refused(signed_in: Client, zone: str) -> None:
    answer = signed_in.post("/accounts/preferences/", {"time_zone": zone, "theme": "dark"})
    assert answer.status_code == 422
    assert Operator.objects.get().time_zone == "Europe/Berlin"


def test_numbers_may_belong_to_another_country(signed_in: Client) -> None:
    signed_in.post("/accounts/preferences/", {"time_zone": "UTC", "theme": "dark", "country": "de"})
    assert Operator.objects.get().country == "DE"


@pytest.mark.parametrize("country", ["XX", "1", "\x00\x00", "<b"])
def test_a_country_that_is_none_is_refused(signed_in: Client, country: str) -> None:
    answer = signed_in.post(
        "/accounts/preferences/", {"time_zone": "UTC", "theme": "dark", "country": country}
    )
    assert answer.status_code == 422
    assert Operator.objects.get().country == ""


def test_what_is_not_sent_stays_as_it_is(signed_in: Client) -> None:
    Operator.objects.update(country="DE")
    signed_in.post("/accounts/preferences/", {"theme": "dark"})
    signed_in.post("/accounts/preferences/", {"time_zone": "America/New_York"})
    operator = Operator.objects.get()
    assert (operator.theme, operator.time_zone, operator.country) == ("dark", "America/New_York", "DE")
    signed_in.post("/accounts/preferences/", {"country": ""})
    assert Operator.objects.get().country == ""


def test_a_choice_in_the_frame_leads_back_to_its_page(signed_in: Client) -> None:
    form = {"theme": "dark", "next": "/calls/?q=7"}
    answer = signed_in.post("/accounts/preferences/", form)
    assert (answer.status_code, answer["Location"]) == (303, "/calls/?q=7")
    answer = signed_in.post("/accounts/preferences/", form | {"next": "//elsewhere.example"})
    assert answer["Location"] == "/accounts/preferences/"
    assert signed_in.post("/accounts/preferences/", form, headers={"HX-Request": "true"}).status_code == 204


def test_a_theme_that_is_none_is_refused(signed_in: Client) -> None:
    assert signed_in.post("/accounts/preferences/", {"theme": "pink"}).status_code == 422
    assert Operator.objects.get().theme == "system"
