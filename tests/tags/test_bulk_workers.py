"""Tagging many calls while others work at the same ones: threads, the sync, and workers that are killed."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from unittest.mock import patch

import pytest
from django.db import connection as database
from django.utils import timezone

from connections_app.models import Action, BulkTagged, BulkTagging, CallTag, Connection, Operator
from connections_app.tags import bulk
from connections_app.web import jobs
from tests.conftest import on_the_tests_database, wait_until
from tests.factories import generated, many, seen
from tests.tags.test_bulk import Make, State, begun, tagged

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def ana(make_operator: Make) -> Operator:
    return make_operator("ana")


def test_two_workers_at_once_do_no_harm(ana: Operator) -> None:
    many(118)
    one = begun(118)
    workers = [threading.Thread(target=worked, args=(one.pk,)) for _ in range(4)]
    with patch.object(bulk, "BATCH", 7):
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    one.refresh_from_db()
    assert (one.changed, one.state, len(tagged())) == (118, State.DONE, 118)


def worked(pk: int) -> None:
    bulk.work(pk)
    database.close()


def test_calls_that_change_meanwhile_keep_one_time_with_their_tag(ana: Operator) -> None:
    many(118)
    one = begun(118)
    moved = threading.Thread(target=move_all)
    moved.start()
    with patch.object(bulk, "BATCH", 3):
        bulk.work(one.pk)
    moved.join()
    times = dict(Connection.objects.values_list("pk", "at"))
    assert dict(CallTag.objects.values_list("connection", "at")) == times


def move_all() -> None:
    """Later start times for all calls, as the sync would bring them."""
    for hour in range(13, 20):
        seen(
            *(
                {
                    "connection_id": f"c{n:04}",
                    "start_time": f"2026-06-{1 + n // 60:02}T{hour}:{n % 60:02}:00Z",
                }
                for n in reversed(range(118))
            )
        )
    database.close()


def queue() -> None:
    """Queue what is unfinished, where the workers of the test's database look."""
    code = "from connections_app.tags.tasks import queue_unfinished_tagging as queue; queue()"
    subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", code], env=on_the_tests_database(), check=True
    )


@pytest.mark.timeout(120)
@pytest.mark.parametrize("way", ["on", "back"])
def test_a_worker_that_is_killed_in_the_middle_is_gone_on_from(
    ana: Operator, start_worker: Callable[[], "subprocess.Popen[bytes]"], way: str
) -> None:
    generated(16_000)
    one = begun(16_000)
    if way == "back":
        bulk.work(one.pk)
        bulk.undo(one, ana, None)

    def progress() -> BulkTagging:
        return BulkTagging.objects.get(pk=one.pk)

    first = start_worker()
    queue()
    wait_until(lambda: progress().undone if way == "back" else progress().seen, 40)
    first.send_signal(signal.SIGKILL)
    first.wait()
    cut_off = progress()
    assert cut_off.state in (State.RUNNING, State.UNDOING)
    BulkTagging.objects.update(working_since=timezone.now() - jobs.LOST_AFTER)
    start_worker()
    queue()
    wait_until(lambda: progress().state in (State.DONE, State.UNDONE), 60)
    last = progress()
    on = CallTag.objects.count()
    if way == "on":
        assert (last.changed, last.seen, on, BulkTagged.objects.count()) == (16_000, 16_000, 16_000, 16_000)
    else:
        assert (last.undone, on, BulkTagged.objects.count()) == (16_000, 0, 0)
    assert Action.objects.filter(phase="outcome").count() == (1 if way == "on" else 2)
