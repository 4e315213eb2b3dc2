"""No call that Sift lists is missed, and nothing is written when nothing changed."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection as database

from connections_app.models import Connection, ListOrder, SyncState, UnusableRow, Walk
from connections_app.sift.client import SiftClient
from connections_app.sync.walk import WalkRequest, walk, want_full_walk
from tests.conftest import Sandbox, our_ids

pytestmark = pytest.mark.django_db

BY_COMMAND = WalkRequest(Walk.Origin.COMMAND)
Make = Callable[..., Sandbox]


def sync(**options: Any) -> Walk:
    made = walk(SiftClient.configured(), BY_COMMAND, **({"may_be_long": True} | options))
    assert made is not None
    return made


def list_requests(sandbox: Sandbox) -> int:
    return sum(entry["path"] == "/v0/connections" for entry in sandbox.log())


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_all_calls_arrive_in_either_order(make_sandbox: Make, order: str) -> None:
    sandbox = make_sandbox("--calls", "1230", "--order", order)
    made = sync()
    assert (made.state, made.error) == (Walk.State.COMPLETED, "")
    assert our_ids() == sandbox.ids()
    assert SyncState.objects.get().order == order


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_a_list_that_grows_while_it_is_walked_loses_nothing(make_sandbox: Make, order: str) -> None:
    sandbox = make_sandbox("--calls", "600", "--order", order)
    sandbox.faults({"kind": "grow", "per_page": 5, "on": "list"})
    sync()
    sandbox.faults()
    sync()
    assert our_ids() == sandbox.ids()


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_a_later_walk_reads_the_new_calls_only(make_sandbox: Make, order: str) -> None:
    sandbox = make_sandbox("--calls", "1500", "--order", order)
    sync()
    before = list_requests(sandbox)
    sandbox.add(count=120)
    made = sync()
    assert made.created == 120
    assert our_ids() == sandbox.ids()
    assert list_requests(sandbox) - before <= 5


def test_calls_that_came_during_an_outage_are_not_missed(sandbox: Sandbox) -> None:
    sync()
    sandbox.add(count=400)
    sandbox.faults({"kind": "status", "status": 404, "skip": 3})
    assert sync().state == Walk.State.FAILED
    watermark = SyncState.objects.get().watermark
    sandbox.faults()
    sync()
    assert our_ids() == sandbox.ids()
    assert SyncState.objects.get().watermark >= watermark


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("page", range(1, 9))
def test_a_first_walk_that_fails_on_any_page_is_resumed(make_sandbox: Make, order: str, page: int) -> None:
    sandbox = make_sandbox("--calls", "400", "--order", order)
    sandbox.faults({"kind": "status", "status": 400, "skip": page, "on": "list"})
    sync()
    sandbox.faults()
    sandbox.add(count=7)
    sync()
    assert our_ids() == sandbox.ids()


def test_unchanged_rows_are_not_written(sandbox: Sandbox) -> None:
    while sync().read_again:
        pass
    changes = Connection.objects.latest("change_number").change_number
    updated = updates()
    want_full_walk()
    made = sync()
    assert made.seen >= 500
    assert (made.created, made.updated) == (0, 0)
    assert updates() == updated
    assert Connection.objects.latest("change_number").change_number == changes


def updates() -> int:
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_stat_get_xact_tuples_updated('connections_app_connection'::regclass)")
        return int(cursor.fetchone()[0])


def test_a_stored_cursor_that_sift_refuses_starts_the_walk_again(make_sandbox: Make) -> None:
    sandbox = make_sandbox("--calls", "300", "--order", "oldest")
    sync()
    sandbox.add(count=70)
    sandbox.faults({"kind": "refuse_cursor", "times": 1})
    made = sync()
    assert made.state == Walk.State.COMPLETED
    assert our_ids() == sandbox.ids()


def test_a_list_that_changes_its_order_is_walked_again(make_sandbox: Make) -> None:
    sandbox = make_sandbox("--calls", "300", "--order", "newest")
    sync()
    sandbox.configure(order="oldest")
    sandbox.add(count=70)
    sync()
    assert our_ids() == sandbox.ids()
    assert SyncState.objects.get().order == ListOrder.OLDEST_FIRST


def test_an_empty_account_is_no_error(make_sandbox: Make) -> None:
    make_sandbox("--calls", "0")
    made = sync()
    assert (made.state, made.seen) == (Walk.State.COMPLETED, 0)
    assert SyncState.objects.get().fresh_at is not None


def test_calls_without_a_start_are_all_read_each_time(make_sandbox: Make) -> None:
    sandbox = make_sandbox("--calls", "0")
    for count in (3, 60):
        sandbox.add(*({"status": "connecting"} for _ in range(count)))
        assert sync().state == Walk.State.COMPLETED
        assert our_ids() == sandbox.ids()
    state = SyncState.objects.get()
    assert (state.full_wanted, state.fresh_at is None) == (True, False)


def test_unusable_rows_are_stored_and_the_rest_lands(sandbox: Sandbox) -> None:
    sandbox.faults({"kind": "broken_rows", "times": 1, "on": "list"})
    made = sync()
    assert (made.state, made.unusable) == (Walk.State.COMPLETED, 10)
    assert sandbox.ids() < our_ids()
    assert our_ids() - sandbox.ids() == {"odd-1", "odd-2", "odd-3", "odd-4"}
    assert UnusableRow.objects.count() == 10
    assert made.odd_values == 5
    assert Connection.objects.get(connection_id="odd-1").from_endpoint == "a\ufffdb"


def test_the_same_broken_row_is_one_row_with_its_count(sandbox: Sandbox) -> None:
    sandbox.faults({"kind": "broken_rows", "count": 1, "on": "list"})
    made = sync()
    kept = UnusableRow.objects.get()
    assert kept.times == made.unusable > 1


def test_an_unusable_row_goes_once_its_call_is_seen_whole(sandbox: Sandbox) -> None:
    sandbox.add({"connection_id": "later", "status": "ringing"})
    sync()
    assert UnusableRow.objects.get().connection_id == "later"
    sandbox.change("later", status="finished")
    sync()
    assert not UnusableRow.objects.exists()
    assert "later" in our_ids()


def test_a_walk_that_was_stopped_is_resumed_where_it_ended(make_sandbox: Make) -> None:
    sandbox = make_sandbox("--calls", "2000")
    stop = threading.Event()
    made = sync(stop=stop, progress=lambda record: stop.set() if record.pages else None)
    assert made.state == Walk.State.INTERRUPTED
    seen = made.seen
    assert 0 < seen < 2000
    before = list_requests(sandbox)
    sync()
    assert our_ids() == sandbox.ids()
    assert list_requests(sandbox) - before < 45 - seen // 50
