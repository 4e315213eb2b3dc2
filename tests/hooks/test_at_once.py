"""What happens at the same moment: each token, call and script still has one owner, and nothing deadlocks."""

import json
import random
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from connections_app.calls import scripts
from connections_app.calls.ingest import ingest
from connections_app.control import placing
from connections_app.models import CallRequest, Connection, InboundRule, Operator, Script, Source
from connections_app.sift.outcomes import Placed
from connections_app.sift.payloads import parse_rows
from connections_app.sync.account import claim
from tests.conftest import alone, our_ids, wait_until
from tests.hooks.conftest import (
    DIAL,
    SAY,
    Sift,
    answer,
    call,
    kept,
    known,
    placed,
    pushed,
    saved,
    status_of,
    told,
)

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

REQUESTS = "SELECT FROM connections_app_callrequest FOR UPDATE"
SCRIPTS = "SELECT FROM connections_app_script FOR UPDATE"
CALLS = "SELECT FROM connections_app_connection FOR UPDATE"
CALLBACKS = "LOCK TABLE connections_app_callback IN EXCLUSIVE MODE"
LIFE = ("connecting", "connected", "finished")


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(12) as threads:
        yield threads


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


def together(threads: ThreadPoolExecutor, acts: list[Callable[[], Any]], lock: str) -> list[Any]:
    """What each of `acts` returns when all have come to what `lock` locks before any can go on."""
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(lock)
        begun: list[Future[Any]] = []
        for act in acts:
            begun.append(threads.submit(act))
            wait_until(lambda: waiting() == len(begun))
    return [one.result(20) for one in begun]


def test_two_calls_with_one_token_get_one_script(threads: ThreadPoolExecutor) -> None:
    request = placed(SAY)
    acts = [status(request, told("connecting", one)) for one in ("c1", "c2")]
    answered = together(threads, acts, REQUESTS)
    assert [one.status_code for one in answered] == [200, 404]
    assert our_ids() == {"c1"}
    assert [(one.status, one.connection and one.connection.connection_id) for one in kept()] == [
        (200, "c1"),
        (404, None),
    ]


def test_two_tokens_with_one_call_leave_it_to_the_first(threads: ThreadPoolExecutor) -> None:
    known()
    requests = [placed(SAY), placed(DIAL)]
    answered = together(threads, [status(one, told("connected")) for one in requests], REQUESTS)
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
    together(threads, [acts.pop(first), *acts.values()], REQUESTS)
    assert deadlocks() == before
    request.refresh_from_db()
    assert (request.connection, request.outcome) == (call(), "accepted")
    assert [one.answer for one in kept()] == [{"routine": SAY}]


def test_of_many_connected_at_once_one_is_given_the_script_that_dials(threads: ThreadPoolExecutor) -> None:
    request = placed(DIAL)
    bodies = [told("connected", n=n % 5) for n in range(10)]
    answered = together(threads, [status(request, body) for body in bodies], SCRIPTS)
    given = [one for one in map(answer, answered) if one]
    assert given == [{"routine": DIAL}]


def test_the_same_callback_at_once_is_one_row(threads: ThreadPoolExecutor) -> None:
    request = placed(SAY)
    together(threads, [status(request, told("connecting")) for _ in range(10)], REQUESTS)
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
        """Harsher than a walk, which writes all its pages in the order of their ids."""
        chance = random.Random(8)  # noqa: S311
        while not is_over.is_set():
            chance.shuffle(told_of)
            with transaction.atomic():
                for start in range(0, 24, 8):
                    rows = [{"connection_id": one, "status": to} for one, to in told_of[start : start + 8]]
                    ingest(parse_rows(rows)[0], Source.LIST)

    synced = threads.submit(alone(sync))
    answered = list(threads.map(lambda one: status(requests[one[0]], told(one[1], one[0]))(), list(told_of)))
    is_over.set()
    synced.result(20)
    assert {one.status_code for one in answered} == {200}
    assert deadlocks() == before
    assert {status_of(one) for one in ids} == {"finished"}
    assert CallRequest.objects.exclude(connection=None).count() == 24


@pytest.mark.parametrize("is_known", [False, True])
def test_one_call_that_comes_in_twice_at_once_gets_one_script(
    threads: ThreadPoolExecutor, is_known: bool
) -> None:
    token = claim().incoming_token
    InboundRule.objects.update(routine=saved("Connect", DIAL))
    if is_known:
        known()
    ring = alone(lambda: Sift(Client()).incoming(token, told("connecting")))
    answered = together(threads, [ring] * 8, CALLS if is_known else CALLBACKS)
    assert [one for one in map(answer, answered) if one] == [{"routine": DIAL}]
    assert Script.objects.count() == 1


def test_a_routine_that_dials_goes_on_once_however_many_callbacks_come_at_once(
    threads: ThreadPoolExecutor, supervisor: Operator
) -> None:
    then = {"1": saved("Connect", DIAL).pk}
    asking = json.dumps([{"name": "GetDigits", "count": 1, "then": then}])
    request = placed(scripts.given_commands(asking, {}, supervisor))
    answer(Sift().status(request.token, told("connected")))
    token = request.script.steps.get().token  # type: ignore[union-attr]
    body = {"connection_id": "c1", "digits": "1"}
    acts = [alone(lambda n=n: Sift(Client()).done(token, body | {"n": n % 3})) for n in range(8)]
    answered = [one for one in map(answer, together(threads, acts, SCRIPTS)) if one]
    assert answered == [{"routine": DIAL}]


def test_what_a_push_supersedes_at_the_same_moment_goes_on_no_more(
    threads: ThreadPoolExecutor, supervisor: Operator
) -> None:
    request = placed(SAY)
    answer(Sift().status(request.token, told("connecting")))
    acts = [alone(lambda: pushed(call(), DIAL)), status(request, told("connected"))]
    _, answered = together(threads, acts, SCRIPTS)
    assert answer(answered) == {}
