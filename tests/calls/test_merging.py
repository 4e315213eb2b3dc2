"""What is known is never lost, in whatever order, however late or often the same observations arrive."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection as database
from hypothesis import given, settings
from hypothesis import strategies as st

from connections_app.calls.ingest import doubt, ingest
from connections_app.models import Connection, ConnectionEvent, Doubt, Source
from connections_app.sift.payloads import Observation, parse_connection

pytestmark = pytest.mark.django_db

START = datetime(2026, 5, 10, 2, 28, 17, tzinfo=UTC)
RANKS = ["connecting", "connected", "failed", "finished"]


def observed(connection_id: str = "a1", status: str = "connected", **fields: object) -> Observation:
    one = parse_connection({"connection_id": connection_id, "status": status, **fields})
    assert isinstance(one, Observation)
    return one


def the_call() -> Connection:
    return Connection.objects.get(connection_id="a1")


times = st.none() | st.integers(0, 5).map(lambda n: (START + timedelta(minutes=n)).isoformat())
observations = st.lists(
    st.builds(
        lambda status, start, end, direction, to: observed(
            status=status, start_time=start, end_time=end, direction=direction, to=to
        ),
        st.sampled_from(RANKS),
        times,
        times,
        st.sampled_from([None, "incoming", "outgoing"]),
        st.sampled_from([None, "webrtc:ana", "+14155550142"]),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(st.data(), observations)
def test_any_order_gives_the_same_status_start_and_end(data: st.DataObject, seen: list[Observation]) -> None:
    shuffled = data.draw(st.permutations(seen + seen))
    Connection.objects.all().delete()
    for one in shuffled:
        source = data.draw(st.sampled_from(list(Source)))
        before = Connection.objects.filter(connection_id="a1").first()
        ingest([one], source)
        assert_nothing_lost(before, the_call())
    call = the_call()
    assert call.status == max((one.status for one in seen), key=RANKS.index)
    assert call.started_at == max((one.started_at for one in seen if one.started_at), default=None)
    assert call.ended_at == max((one.ended_at for one in seen if one.ended_at), default=None)
    assert call.direction == next((one.direction for one in shuffled if one.direction), None)


def assert_nothing_lost(before: Connection | None, after: Connection) -> None:
    if before is None:
        return
    assert RANKS.index(after.status) >= RANKS.index(before.status)
    for field in ("direction", "from_endpoint", "to_endpoint"):
        assert getattr(before, field) in (None, getattr(after, field))
    for field in ("started_at", "ended_at"):
        known = getattr(before, field)
        assert known is None or getattr(after, field) >= known


def test_one_batch_merges_a_call_that_comes_twice() -> None:
    changes = ingest(
        [observed(status="finished"), observed(status="connecting", to="webrtc:ana")], Source.LIST
    )
    assert (len(changes.created), len(changes.updated)) == (1, 1)
    assert (the_call().status, the_call().to_endpoint) == ("finished", "webrtc:ana")


def test_an_unchanged_observation_writes_nothing() -> None:
    ingest([observed(to="webrtc:ana")], Source.LIST)
    version = row_version()
    changes = ingest([observed(to="webrtc:ana", extra="only in the raw object")], Source.RETRIEVE)
    assert (changes.created, changes.updated) == ((), ())
    assert row_version() == version
    assert not ConnectionEvent.objects.exists()


def row_version() -> tuple[object, ...]:
    """What changes when a row is written, or so much as locked."""
    with database.cursor() as cursor:
        cursor.execute("SELECT xmin::text, xmax::text, ctid::text FROM connections_app_connection")
        return tuple(cursor.fetchone())


def test_each_change_takes_the_next_number_and_leaves_an_event() -> None:
    ingest([observed(status="connecting", to="webrtc:ana")], Source.CALLBACK)
    first = the_call().change_number
    ingest([observed(status="connected", start_time=START.isoformat())], Source.LIST)
    event = ConnectionEvent.objects.get()
    assert event.change_number == the_call().change_number > first
    assert event.source == Source.LIST
    assert event.changes["status"] == ["connecting", "connected"]
    assert set(event.changes) == {"status", "started_at"}


def test_at_is_the_start_or_the_first_sight() -> None:
    ingest([observed(status="connecting")], Source.LIST)
    assert the_call().at == the_call().first_seen_at
    ingest([observed(start_time=START.isoformat())], Source.LIST)
    assert the_call().at == START


def test_doubt_is_an_event_and_the_next_observation_clears_it() -> None:
    ingest([observed()], Source.LIST)
    doubt(the_call(), Doubt.UNCONFIRMED, Source.RETRIEVE)
    assert the_call().doubt == Doubt.UNCONFIRMED
    ingest([observed()], Source.LIST)
    assert the_call().doubt == Doubt.NONE
    assert [event.changes["doubt"][1] for event in ConnectionEvent.objects.order_by("id")] == [
        "unconfirmed",
        "",
    ]


def test_a_call_that_ended_is_not_doubted() -> None:
    ingest([observed(status="finished")], Source.LIST)
    doubt(the_call(), Doubt.LOST, Source.RETRIEVE)
    assert the_call().doubt == Doubt.NONE


@pytest.mark.parametrize("value", [{"a": [1, None]}, [1], "text", "", 0, 1.5, True, False])
def test_client_data_keeps_every_kind_of_json(value: object) -> None:
    ingest([observed(client_data=value)], Source.LIST)
    assert the_call().client_data == value
