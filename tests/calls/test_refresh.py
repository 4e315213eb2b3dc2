"""Calls in progress that the list's head does not show are asked for, and none is given a false end."""

from datetime import timedelta

import pytest
from django.utils import timezone

from connections_app.calls import refresh
from connections_app.models import Connection, ConnectionEvent, Doubt, Reading, Status, Walk
from tests.conftest import Sandbox
from tests.sync.test_walking import sync

pytestmark = pytest.mark.django_db


@pytest.fixture
def buried(sandbox: Sandbox) -> Connection:
    """A call in progress since weeks, far down the list."""
    connection_id = sandbox.oldest_first()[5]
    sandbox.change(connection_id, status="connected", end_time=None)
    sync()
    return Connection.objects.get(connection_id=connection_id)


def test_its_end_is_noticed(sandbox: Sandbox, buried: Connection) -> None:
    sandbox.change(buried.connection_id, status="finished", end_time="2026-11-01T13:00:00Z")
    sync()
    buried.refresh_from_db()
    assert buried.status == Status.FINISHED
    assert ConnectionEvent.objects.get(connection=buried).source == "retrieve"


def test_one_that_sift_no_longer_knows_is_unconfirmed_then_lost(sandbox: Sandbox, buried: Connection) -> None:
    sandbox.forget(buried.connection_id)
    sync()
    buried.refresh_from_db()
    assert (buried.status, buried.doubt, buried.ended_at) == (Status.CONNECTED, Doubt.UNCONFIRMED, None)
    Reading.objects.update(unknown_since=timezone.now() - refresh.LOST_AFTER)
    sync()
    buried.refresh_from_db()
    assert (buried.status, buried.doubt, buried.ended_at) == (Status.CONNECTED, Doubt.LOST, None)
    assert not Connection.objects.in_progress().filter(pk=buried.pk).exists()


def test_the_longest_unread_come_first_within_the_budget(sandbox: Sandbox) -> None:
    sandbox.add(*({"connection_id": f"live{n}", "status": "connected"} for n in range(4)))
    sync()
    now = timezone.now()
    for n, minutes in enumerate([5, 9, 1]):
        live = Connection.objects.get(connection_id=f"live{n}")
        Reading.objects.create(connection=live, read_at=now - timedelta(minutes=minutes))
    due = [one.connection_id for one in refresh.due(seen=[], budget=3)]
    assert due == ["live3", "live1", "live0"]


def test_one_that_cannot_be_read_does_not_hold_up_the_others(sandbox: Sandbox, buried: Connection) -> None:
    sandbox.faults({"kind": "status", "status": 500, "times": 1, "on": "retrieve"})
    made = sync()
    assert (made.state, made.error) == (Walk.State.COMPLETED, "")
    assert made.read_again > 1
    assert Reading.objects.get(connection=buried).unknown_since is None


def test_a_walk_fails_when_nothing_can_be_read(sandbox: Sandbox, buried: Connection) -> None:
    sandbox.faults({"kind": "status", "status": 500, "on": "retrieve"})
    assert "500" in sync().error


def test_a_finished_call_without_an_end_is_retrieved_a_few_times_only(sandbox: Sandbox) -> None:
    sandbox.add({"connection_id": "endless", "status": "finished"})
    sync()
    endless = Connection.objects.get(connection_id="endless")
    Reading.objects.all().delete()
    assert endless.pk in {one.pk for one in refresh.due(seen=[], budget=10_000)}
    Reading.objects.update_or_create(
        connection=endless,
        defaults={"read_at": timezone.now() - timedelta(days=9), "times": refresh.END_TIME_TRIES},
    )
    assert endless.pk not in {one.pk for one in refresh.due(seen=[], budget=10_000)}
