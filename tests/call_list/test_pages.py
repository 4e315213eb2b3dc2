"""`/calls/` and one call's page: what they show, what they cost, and what they must not fall for."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains, assertNotContains

from connections_app.call_list import time_limits
from connections_app.models import Connection
from tests.factories import FRAME, many, seen

pytestmark = pytest.mark.django_db


def ids(answer: Any) -> list[str]:
    return [row.call.connection_id for row in answer.context["rows"]]


def test_the_newest_fifty_come_first_with_a_link_to_older_ones(signed_in: Client) -> None:
    many(120)
    answer = signed_in.get("/calls/")
    assert ids(answer) == [f"c{n:04}" for n in range(119, 69, -1)]
    assertContains(answer, 'rel="next"')
    assertNotContains(answer, 'rel="prev"')
    assertContains(answer, "120 calls")


def test_a_page_costs_the_same_few_queries_however_many_calls(
    signed_in: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    many(120)
    # The contacts that are named so; the rows, within a time, which takes three more; the estimate; the
    # count, as the rows; the names and the tags of the calls; the saved views.
    with django_assert_num_queries(FRAME + 1 + 4 + 1 + 4 + 2 + 1):
        signed_in.get("/calls/?q=415&status=finished&since=2026-05-01")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=0007", ["c0007"]),
        ("q=(415) 555-0007", ["c0007"]),
        ("q=C0007", ["c0007"]),
        ("q=ANA", ["c0009", "c0006", "c0003", "c0000"]),
        ("status=failed", ["c0000"]),
        ("status=failed&status=finished&q=c000", [f"c{n:04}" for n in range(9, -1, -1)]),
        ("direction=incoming", []),
        ("since=2026-05-01T14:05&until=2026-05-01T14:07", ["c0006", "c0005"]),
        ("since=2026-05-02", []),
        ("until=2026-04-30", []),
    ],
)
def test_filters(signed_in: Client, query: str, expected: list[str]) -> None:
    many(10)
    assert ids(signed_in.get(f"/calls/?{query}")) == expected


def test_a_percent_sign_and_an_underscore_are_searched_as_they_are(signed_in: Client) -> None:
    many(3)
    assert ids(signed_in.get("/calls/?q=%25")) == []
    assert ids(signed_in.get("/calls/?q=c_00")) == []


def test_an_odd_filter_is_named_and_no_call_is_shown(signed_in: Client) -> None:
    many(3)
    answer = signed_in.get("/calls/?since=banana")
    assert ids(answer) == []
    assertContains(answer, "Enter a date as 2026-05-31")


def test_an_odd_place_is_named_and_no_call_is_shown(signed_in: Client) -> None:
    many(3)
    answer = signed_in.get("/calls/?below=nowhere")
    assert ids(answer) == []
    assertContains(answer, "does not lead to a place in the list")


HOSTILE = [
    "\x00",
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    "x" * 100_000,
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "0000-00-00",
    "10000-01-01",
    "9999-12-31T23:59",
    "-1",
    "1e309",
    "NaN",
    "٣",
    "' OR 1=1 --",
    "[" * 1000,
]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    "name",
    [
        "q",
        "status",
        "direction",
        "since",
        "until",
        "below",
        "above",
        "operator",
        "tag",
        "country",
        "min_seconds",
        "max_seconds",
        "notes",
        "sort",
    ],
)
def test_no_value_in_the_address_breaks_the_page(signed_in: Client, name: str, value: str) -> None:
    answer = signed_in.get("/calls/", {name: value})
    assert answer.status_code == 200
    assertNotContains(answer, "<script>alert")


def test_client_data_full_of_markup_shows_as_text(signed_in: Client) -> None:
    seen({"connection_id": "a1", "client_data": {"<script>alert(1)</script>": "</pre><img src=x onerror=y>"}})
    answer = signed_in.get("/calls/a1/")
    assertNotContains(answer, "<script>alert")
    assertNotContains(answer, "<img src=x")
    assertContains(answer, "&lt;script&gt;alert(1)")


@pytest.mark.parametrize(
    "connection_id", ["a b", "ü😀", "100%", "a?b#c", "requests", "<b>", "a%2Fb", "-", "..."]
)
def test_any_id_that_can_stand_in_a_path_has_its_page(signed_in: Client, connection_id: str) -> None:
    seen({"connection_id": connection_id})
    answer = signed_in.get("/calls/")
    address = Connection.objects.get().get_absolute_url()
    assertContains(answer, f'href="{address}"')
    assert signed_in.get(address).context["call"].connection_id == connection_id


def test_an_unknown_call_is_not_found(signed_in: Client) -> None:
    assert signed_in.get("/calls/nobody/").status_code == 404


def test_an_empty_list_says_why(signed_in: Client) -> None:
    assertContains(signed_in.get("/calls/"), "No calls yet")
    seen({"connection_id": "a1"})
    answer = signed_in.get("/calls/?q=zzzz")
    assert answer.context["nothing_yet"] is False


@pytest.mark.parametrize("name", ["operator", "tag", "country"])
def test_a_long_menu_offers_what_there_is_when_it_is_opened(signed_in: Client, name: str) -> None:
    many(2)
    for headers in ({}, {"HX-Request": "true"}):
        assert signed_in.get(f"/calls/choices/{name}/", headers=headers).status_code == 200
    options = signed_in.get("/calls/choices/country/?country=DE").context["options"]
    assert (options[0].label, options[0].is_chosen) == ("Germany", True)
    assert "United States" in [one.label for one in options]


def test_a_list_that_takes_too_long_says_what_to_tighten(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_slow(*_: Any) -> None:
        raise time_limits.TooSlow

    monkeypatch.setattr(time_limits, "calls_on", too_slow)
    answer = signed_in.get("/calls/?q=415")
    assertContains(answer, "a longer text is found faster")
    assertContains(answer, "?q=415&amp;when=7d")


def test_a_short_text_that_finds_nothing_says_that_it_is_short(signed_in: Client) -> None:
    many(2)
    assertContains(signed_in.get("/calls/?q=zz"), "only whole names and ids were searched")
