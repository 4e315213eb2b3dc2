"""The board shows every call in progress, longest first, and what it costs does not grow."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains

from connections_app.ingest import doubt
from connections_app.live.board import LIMIT
from connections_app.models import Connection, Doubt, Source
from tests.history.test_pages import FRAME, seen

pytestmark = pytest.mark.django_db


def calls_of(answer: Any) -> list[Connection]:
    return [row.call for row in answer.context["rows"]]


def test_calls_in_progress_come_longest_first(signed_in: Client) -> None:
    seen(
        {"connection_id": "short", "status": "connected", "start_time": "2026-05-10T03:00:00Z"},
        {"connection_id": "long", "status": "connected", "start_time": "2026-05-10T02:00:00Z"},
        {"connection_id": "over", "start_time": "2026-05-10T01:00:00Z"},
        {"connection_id": "ringing", "status": "connecting"},
    )
    answer = signed_in.get("/")
    assert [call.connection_id for call in calls_of(answer)] == ["long", "short", "ringing"]
    counters = answer.context["counters"]
    assert (counters.connected, counters.connecting) == (2, 1)
    assert counters.longest.connection_id == "long"


def test_no_live_call_disappears_by_age_but_a_lost_one_does(signed_in: Client) -> None:
    seen(
        *(
            {"connection_id": name, "status": "connected", "start_time": "2001-01-01T00:00:00Z"}
            for name in "ab"
        )
    )
    doubt(Connection.objects.get(connection_id="a"), Doubt.UNCONFIRMED, Source.RETRIEVE)
    doubt(Connection.objects.get(connection_id="b"), Doubt.LOST, Source.RETRIEVE)
    answer = signed_in.get("/")
    assert [call.connection_id for call in calls_of(answer)] == ["a"]
    assertContains(answer, "Unconfirmed")


def test_the_board_costs_the_same_few_queries(
    signed_in: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    seen(*({"connection_id": f"c{n}", "status": "connected"} for n in range(LIMIT + 5)))
    with django_assert_num_queries(FRAME + 3):
        answer = signed_in.get("/")
    assert (len(answer.context["rows"]), answer.context["more"]) == (LIMIT, 5)


def test_the_last_hour_is_counted(signed_in: Client) -> None:
    now = timezone.now().isoformat()
    seen(
        {"connection_id": "a", "start_time": now},
        {"connection_id": "b", "start_time": now, "status": "failed"},
        {"connection_id": "c", "start_time": "2026-01-01T00:00:00Z"},
    )
    counters = signed_in.get("/").context["counters"]
    assert (counters.last_hour, counters.failed_last_hour, counters.answered_percent) == (2, 1, 50.0)
