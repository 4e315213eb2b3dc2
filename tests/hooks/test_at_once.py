"""What happens at the same moment: each token, call and script still has one owner, and nothing deadlocks."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from connections_app.control import placing
from connections_app.ingest import ingest
from connections_app.models import CallRequest, Connection, Script, Source
from connections_app.sift.outcomes import Placed
from connections_app.sift.payloads import parse_rows
from tests.conftest import our_ids, wait_until
from tests.hooks.conftest import DIAL, SAY, Sift, answer, call, kept, known, placed, status_of, told

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

LIFE = ("connecting", "connected", "finished")


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(12) as threads:
        yield threads


@contextmanager
def held(sql: str, *values: Any) -> Iterator[None]:
    """Keeps the rows that `sql` locks from everyone else meanwhile."""
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(sql, values)
        yield


def alone(act: Callable[[], Any]) -> Callable[[], Any]:
    """`act`, over a database connection that is given back."""

    def act_alone() -> Any:
        try:
            return act()
        finally:
            database.close()

    return act_alone


def status(request: CallRequest, body: Any) -> Callable[[], HttpResponse]:
    return alone(lambda: Sift(Client()).status(request.token, body))


def waiting() -> int:
    """How many transactions wait for a lock."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])


def deadlocks() -> int:
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def together(
    threads: ThreadPoolExecutor, acts: list[Callable[[], Any]], held_by: str = "connections_app_callrequest"
) -> list[Any]:
    """What each of `acts` returns when all have begun before any can end, one after the other."""
    with held(f"SELECT FROM {held_by} FOR UPDATE"):
        begun: list[Future[Any]] = []
        for act in acts:
            begun.append(threads.submit(act))
            wait_until(lambda: waiting() == len(begun))
    return [one.result(20) for one in begun]


def test_two_calls_with_one_token_get_one_script(threads: ThreadPoolExecutor) -> None:
    request = placed(SAY)
    answered = together(
        threads, [status(request, told("connecting", "c1")), status(request, told("connecting", "c2"))]
    )
    assert [one.status_code for one in answered] == [200, 404]
    assert our_ids() == {"c1"}
    assert [(one.status, one.connection and one.connection.connection_id) for one in kept()] == [
        (200, "c1"),
        (404, None),
    ]


def test_two_tokens_with_one_call_leave_it_to_the_first(threads: ThreadPoolExecutor) -> None:
    known()
    requests = [placed(SAY), placed(DIAL)]
    answered = together(threads, [status(one, told("connected")) for one in requests])
    assert sorted(one.status_code for one in answered) == [200, 404]
    assert CallRequest.objects.filter(connection=call()).count() == 1
    assert Script.objects.exclude(offered_at=None).count() == 1


@pytest.mark.parametrize("first", ["the answer", "the callback"])
def test_the_answer_to_placing_and_the_first_callback_do_not_deadlock(
    threads: ThreadPoolExecutor, first: str
) -> None:
    request = placed(SAY, outcome="sending")
    acts = {
        "the answer": alone(lambda: placing._finish(request, Placed("c1"))),
        "the callback": status(request, told("connecting")),
    }
    before = deadlocks()
    together(threads, [acts.pop(first), *acts.values()])
    assert deadlocks() == before
    request.refresh_from_db()
    assert (request.connection, request.outcome) == (call(), "accepted")
    assert [one.answer for one in kept()] == [{"routine": SAY}]


def test_of_many_connected_at_once_one_is_given_the_script_that_dials(threads: ThreadPoolExecutor) -> None:
    request = placed(DIAL)
    bodies = [told("connected", n=n % 5) for n in range(10)]
    answered = together(threads, [status(request, body) for body in bodies], held_by="connections_app_script")
    given = [one for one in map(answer, answered) if one]
    assert given == [{"routine": DIAL}]


def test_the_same_callback_at_once_is_one_row(threads: ThreadPoolExecutor) -> None:
    request = placed(SAY)
    together(threads, [status(request, told("connecting")) for _ in range(10)])
    assert [one.times for one in kept()] == [10]
    assert Connection.objects.count() == 1


def test_callbacks_and_the_sync_write_at_once_without_a_deadlock(threads: ThreadPoolExecutor) -> None:
    ids = [f"c{n:02}" for n in range(24)]
    requests = {one: placed(SAY) for one in ids}
    before, is_over = deadlocks(), Event()
    chance = random.Random(7)  # noqa: S311
    told_of = [(one, life) for life in LIFE for one in ids]
    chance.shuffle(told_of)

    def sync() -> None:
        """As a walk does: several pages in one transaction, each in Sift's own order."""
        chance = random.Random(8)  # noqa: S311
        while not is_over.is_set():
            chance.shuffle(told_of)
            with transaction.atomic():
                for start in range(0, 24, 8):
                    rows = [{"connection_id": one, "status": to} for one, to in told_of[start : start + 8]]
                    ingest(parse_rows(rows)[0], Source.LIST)

    synced = threads.submit(alone(sync))
    answered = list(
        threads.map(lambda one: status(requests[one[0]], told(one[1], one[0]))(), list(told_of) * 2)
    )
    is_over.set()
    synced.result(20)
    assert {one.status_code for one in answered} == {200}
    assert deadlocks() == before
    assert {status_of(one) for one in ids} == {"finished"}
    assert CallRequest.objects.exclude(connection=None).count() == 24
