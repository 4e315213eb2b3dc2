"""The list, paged to either end, gives each call once and in order, also where many start together."""

from datetime import UTC, datetime, timedelta

import pytest
from django.http import QueryDict
from hypothesis import given, settings
from hypothesis import strategies as st

from connections_app.call_list import paging
from connections_app.calls.ingest import ingest
from connections_app.models import Connection, Source
from connections_app.sift.payloads import Observation, parse_connection

pytestmark = pytest.mark.django_db

START = datetime(2026, 5, 10, tzinfo=UTC)


def call(number: int, minute: int) -> Observation:
    start = (START + timedelta(minutes=minute)).isoformat()
    one = parse_connection({"connection_id": f"c{number}", "status": "finished", "start_time": start})
    assert isinstance(one, Observation)
    return one


def page_at(address: str) -> paging.CallsPage:
    query = QueryDict(address.removeprefix("?"))
    page = paging.Page.from_query(paging.Order.by_time(), query)
    return page.calls_page(page.of(Connection.objects.all()), query)


def walk(first: str, direction: str) -> tuple[list[list[int]], str]:
    """The pages from `first` on by their links, each as its calls' keys, and the last page's address."""
    pages, address = [], first
    while True:
        page = page_at(address)
        pages.append([one.pk for one in page.calls])
        following = page.next_url if direction == "older" else page.previous_url
        if not following:
            return pages, address
        address = following


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 6), max_size=30), st.integers(2, 7))
def test_older_to_the_end_and_newer_back_give_the_same_calls(minutes: list[int], rows: int) -> None:
    Connection.objects.all().delete()
    ingest([call(number, minute) for number, minute in enumerate(minutes)], Source.LIST)
    before, paging.PAGE_ROWS = paging.PAGE_ROWS, rows
    try:
        older, last = walk("", "older")
        newer, _ = walk(last, "newer")
    finally:
        paging.PAGE_ROWS = before
    in_order = list(Connection.objects.newest_first().values_list("pk", flat=True))
    assert [pk for page in older for pk in page] == in_order
    assert [pk for page in reversed(newer) for pk in page] == in_order


def test_a_page_stays_the_same_while_newer_calls_arrive() -> None:
    ingest([call(n, n) for n in range(120)], Source.LIST)
    second = page_at("").next_url
    assert second is not None
    shown = page_at(second).calls
    ingest([call(n, n) for n in range(120, 180)], Source.LIST)
    assert page_at(second).calls == shown


@pytest.mark.parametrize(
    "place",
    [
        "x",
        "1",
        "1-2-3",
        "1--5",
        "9" * 30 + "-1",
        "1-" + "9" * 30,
        "1-1\x00",
        "٣-٣x",
        "1-٣",
        " 1-1",
        "9" * 18 + "-1",
    ],
)
@pytest.mark.parametrize("name", ["below", "above"])
def test_a_place_that_is_none_is_refused(place: str, name: str) -> None:
    query = QueryDict(mutable=True)
    query[name] = place
    with pytest.raises(paging.BadPlace):
        list(paging.Page.from_query(paging.Order.by_time(), query).of(Connection.objects.all()))
