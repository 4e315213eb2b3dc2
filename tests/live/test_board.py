"""The board shows every call in progress, longest first, and what it costs does not grow."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains

from connections_app.calls.ingest import doubt
from connections_app.live import board, board_reader
from connections_app.live.board import LIMIT
from connections_app.live.board_reader import Change, Kind, Reader
from connections_app.models import CallRequest, Connection, Doubt, Operator, Outcome, Source, Tag
from connections_app.tags import tagging
from tests.factories import FRAME, seen

pytestmark = pytest.mark.django_db

Make = Callable[..., Operator]


def told(change: Change, kind: Kind) -> Any:
    """The data of the `calls` event of a change."""
    return json.loads(f"{{{change.drawn[kind]}}}")


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
    with django_assert_num_queries(FRAME + 4):
        answer = signed_in.get("/")
    assert (len(answer.context["rows"]), answer.context["more"]) == (LIMIT, 5)


def test_the_last_hour_is_counted(signed_in: Client) -> None:
    now = timezone.now().isoformat()
    seen(
        {"connection_id": "a", "start_time": now, "status": "connected"},
        {"connection_id": "b", "start_time": now, "status": "failed"},
        {"connection_id": "c", "start_time": "2026-01-01T00:00:00Z"},
    )
    counters = signed_in.get("/").context["counters"]
    assert (counters.last_hour, counters.failed_last_hour, counters.answered_percent) == (2, 1, 50.0)


@pytest.mark.parametrize(
    ("q", "shown"),
    [
        ("", "abc"),
        ("415", "ac"),
        ("(415) 555-0142", "a"),
        ("+1 415", "ac"),
        ("ANA", "b"),
        ("connecting", "c"),
        ("415 connecting", "c"),
        ("id-b", "b"),
        ("nobody", ""),
        ("<b>\x00", ""),
    ],
)
def test_the_filter_hides_what_lacks_a_word(signed_in: Client, q: str, shown: str) -> None:
    seen(
        {"connection_id": "id-a", "status": "connected", "to": "+14155550142", "direction": "incoming"},
        {"connection_id": "id-b", "status": "connected", "from": "webrtc:ana", "direction": "outgoing"},
        {"connection_id": "id-c", "status": "connecting", "to": "+14155550199", "direction": "incoming"},
    )
    answer = signed_in.get("/", {"q": q})
    rows = answer.context["rows"]
    assert {row.call.connection_id[-1] for row in rows if not row.is_hidden} == set(shown)
    assert answer.context["hidden"] == 3 - len(shown)


def test_mine_are_those_i_placed_and_those_i_am_on(client: Client, make_operator: Make) -> None:
    ana = make_operator("ana", client_name="Ana")
    seen(
        *(
            {"connection_id": name, "status": "connected", "to": "+14155550142"}
            for name in ("placed", "other")
        ),
        {"connection_id": "on", "status": "connected", "to": "webrtc:ana"},
    )
    placed = Connection.objects.get(connection_id="placed")
    CallRequest.objects.create(
        request_id=uuid4(),
        phone_number="+14155550142",
        operator=ana,
        operator_name="ana",
        deadline=timezone.now(),
        outcome=Outcome.ACCEPTED,
        connection=placed,
    )
    client.force_login(ana)
    answer = client.get("/", {"mine": "1"})
    shown = {row.call.connection_id: row for row in answer.context["rows"] if not row.is_hidden}
    assert set(shown) == {"placed", "on"}
    assert shown["placed"].state.placed_by == "ana"
    assert all(row.may_steer for row in shown.values())


def test_a_row_drawn_for_everybody_names_no_zone_and_no_person(signed_in: Client) -> None:
    seen({"connection_id": "a1", "status": "connected", "to": "+14155550142"})
    reader = Reader()
    reader.read_whole([Kind.BOARD])
    drawn = reader.snapshot(Kind.BOARD).drawn.plain.decode()
    assert "csrfmiddlewaretoken" not in drawn
    assert "Hang up" in drawn
    assert "Hang up" not in signed_in.get("/").content.decode()


def test_reading_what_was_announced_costs_one_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    reader = Reader()
    reader.read_whole([Kind.BOARD])
    seen(*({"connection_id": f"c{n}", "status": "connected"} for n in range(20)))
    calls = list(Connection.objects.values_list("pk", flat=True))
    with django_assert_num_queries(1):
        change = reader.read(calls, [Kind.BOARD])
    assert change
    with django_assert_num_queries(0):
        reader.snapshot(Kind.BOARD)
    with django_assert_num_queries(1):
        change = reader.read(calls, [Kind.BOARD])
    # Announced again, the board shows them as it did.
    assert change
    assert told(change, Kind.BOARD)["rows"] == []
    times = {"start_time": "2026-05-10T02:28:17Z", "end_time": "2026-05-10T02:29:17Z"}
    seen(*({"connection_id": f"c{n}", "status": "finished", **times} for n in range(20)))
    with django_assert_num_queries(1):
        assert reader.read(calls, [Kind.BOARD])


def test_a_board_that_is_full_says_how_many_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "LIMIT", 3)
    start = "2026-05-10T0{}:00:00Z"
    seen(
        *({"connection_id": f"c{n}", "status": "connected", "start_time": start.format(n)} for n in range(5))
    )
    reader = Reader()
    reader.read_whole([Kind.BRIEF])
    told = json.loads(f"{{{reader.snapshot(Kind.BRIEF).drawn.plain.decode()}}}")
    assert ([row["call"] for row in told["rows"]], told["more"]) == (["c0", "c1", "c2"], 2)
    seen({"connection_id": "c0", "status": "finished"})
    reader.read_whole([Kind.BRIEF])
    told = json.loads(f"{{{reader.snapshot(Kind.BRIEF).drawn.plain.decode()}}}")
    assert ([row["call"] for row in told["rows"]], told["more"]) == (["c0", "c1", "c2", "c3"], 1)


def test_changes_of_a_reading_that_fails_half_way_are_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    seen({"connection_id": "a1", "status": "connected"})
    reader = Reader()
    reader.read_whole([Kind.BRIEF])
    seen({"connection_id": "a1", "status": "finished"})

    def away(now: Any) -> None:
        raise OperationalError

    with monkeypatch.context() as patched:
        patched.setattr(board, "last_hour", away)
        with pytest.raises(OperationalError):
            reader.read_whole([Kind.BRIEF])
    change = reader.read_whole([Kind.BRIEF])
    assert change
    assert '"status": "finished"' in change.drawn[Kind.BRIEF]


def test_the_figures_of_a_full_board_are_those_of_all_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "LIMIT", 2)
    start = "2026-05-10T0{}:00:00Z"
    seen(
        *({"connection_id": f"c{n}", "status": "connected", "start_time": start.format(n)} for n in range(3))
    )
    seen(
        *(
            {"connection_id": f"d{n}", "status": "connecting", "start_time": start.format(n + 4)}
            for n in range(4)
        )
    )
    reader = Reader()
    reader.read_whole([Kind.BRIEF])
    assert reader.counters
    assert (reader.counters.connected, reader.counters.connecting, reader.more) == (3, 4, 5)
    assert reader.read_whole([Kind.BRIEF]) is None


def test_a_change_that_the_board_does_not_show_is_sent_too(make_operator: Make) -> None:
    """A tag on a call that is listed: whoever has its page open must hear of it."""
    seen({"connection_id": "a", "status": "connected"})
    call = Connection.objects.get()
    reader = Reader()
    reader.read_whole([Kind.BRIEF])
    tagging.add_to(Tag.objects.create(name="Urgent"), call, make_operator("ben"), None)
    change = reader.read([call.pk], [Kind.BRIEF])
    assert change
    sent = told(change, Kind.BRIEF)
    assert (sent["rows"], sent["others"]) == ([], ["a"])
    assert reader.read_whole([Kind.BRIEF]) is None


def test_too_many_changed_calls_are_not_named_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_reader, "MAX_OTHERS", 2)
    rows = [{"connection_id": f"c{n}", "status": "finished"} for n in range(3)]
    seen(*rows)
    reader = Reader()
    reader.read_whole([Kind.BRIEF])
    seen(*(row | {"end_time": "2026-11-24T13:00:00Z"} for row in rows))
    change = reader.read_whole([Kind.BRIEF])
    assert change
    assert told(change, Kind.BRIEF)["others"] is None
