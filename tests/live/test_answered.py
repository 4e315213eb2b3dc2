"""Which calls count as answered, by the one definition."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from connections_app.calls.answered import ANSWER
from connections_app.calls.ingest import ingest
from connections_app.live.board import last_hour
from connections_app.models import Connection, Outcome, Push, Source
from connections_app.sift.payloads import parse_rows
from tests.hooks.conftest import pushed

pytestmark = pytest.mark.django_db
START = timezone.now().replace(microsecond=0) - timedelta(minutes=20)
HANG_UP = [{"name": "HangUp"}]
SAY = [{"name": "Say", "text": "Hello"}]


def seen(status: str, seconds: int | None = None) -> Connection:
    """The call c1 as Sift's list shows it, ended so many seconds after its start."""
    row: dict[str, Any] = {"connection_id": "c1", "status": status, "to": "+14155550142"}
    row["start_time"] = START.isoformat()
    if seconds is not None:
        row["end_time"] = (START + timedelta(seconds=seconds)).isoformat()
    ingest(parse_rows([row])[0], Source.LIST)
    return Connection.objects.get()


def answer() -> str:
    return str(Connection.objects.annotate(answer=ANSWER).values_list("answer", flat=True).get())


@pytest.mark.parametrize(
    ("states", "seconds", "expected"),
    [
        (["connecting"], None, "pending"),
        (["connected"], None, "answered"),
        (["failed"], None, "not_answered"),
        (["connecting", "failed"], None, "not_answered"),
        (["connecting", "connected", "finished"], None, "answered"),
        (["connected", "finished"], 0, "answered"),
        (["finished"], 5, "answered"),
        (["connecting", "finished"], 5, "answered"),
        (["finished"], 0, "unknown"),
        (["finished"], -5, "unknown"),
        (["finished"], None, "unknown"),
    ],
)
def test_what_was_seen_decides(states: list[str], seconds: int | None, expected: str) -> None:
    for status in states:
        seen(status, seconds if status == "finished" else None)
    assert answer() == expected


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [(Outcome.ACCEPTED, "unknown"), (Outcome.UNKNOWN, "unknown"), (Outcome.REJECTED, "answered")],
)
@pytest.mark.parametrize("kind", [Push.Kind.HANG_UP, Push.Kind.ROUTINE])
def test_a_call_hung_up_from_here_while_it_rang_is_not_said_to_be_answered(
    outcome: Outcome, expected: str, kind: Push.Kind
) -> None:
    pushed(seen("connecting"), HANG_UP, outcome, kind)
    seen("finished", 5)
    assert answer() == expected


def test_a_call_hung_up_from_here_after_it_connected_was_answered() -> None:
    pushed(seen("connected"), HANG_UP, Outcome.ACCEPTED, Push.Kind.HANG_UP)
    seen("finished", 5)
    assert answer() == "answered"


def test_another_routine_pushed_while_it_rang_changes_nothing() -> None:
    pushed(seen("connecting"), SAY, Outcome.ACCEPTED)
    seen("finished", 5)
    assert answer() == "answered"


def test_the_last_hour_counts_what_is_unknown_by_itself() -> None:
    pushed(seen("connecting"), HANG_UP, Outcome.ACCEPTED, Push.Kind.HANG_UP)
    seen("finished", 5)
    hour = last_hour(timezone.now())
    assert (hour.last_hour, hour.answered_percent, hour.unknown_last_hour) == (1, None, 1)
