"""One request is one create, whatever comes twice and whoever is killed: told by the sandbox's own log."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Thread
from typing import Any

import psycopg
import pytest
import requests
from django.utils import timezone

from connections_app.control.requests import DEADLINE
from connections_app.control.settling import expire
from connections_app.models import Action, CallRequest, Operator, Outcome
from tests.conftest import Sandbox, database_url, wait_until
from tests.control.conftest import CALL_PHONE, Dashboard, Person, Start, at, order, page

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

STUCK = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


def test_twenty_at_once_place_one_call(
    start_dashboard: Start, quick_sandbox: Sandbox, operator: Operator
) -> None:
    person = at(start_dashboard(), operator)
    form = person.form(commands=CALL_PHONE)
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: at_once(person, form), range(20)))
    assert {answer.status_code for answer in answers} == {303}
    assert {answer.headers["Location"] for answer in answers} == {f"/calls/requests/{form['request_id']}/"}
    assert len(quick_sandbox.creates()) == 1
    assert Action.objects.filter(verb="place", phase="intent").count() == 1


def at_once(person: Person, form: dict[str, str]) -> requests.Response:
    """Sent over a connection of its own."""
    own = requests.Session()
    own.cookies.update(person.session.cookies)
    return Person(person.dashboard, own).place(form)


@contextmanager
def holding(statement: str) -> Iterator[psycopg.Connection]:
    """A lock that others wait for, until the block ends."""
    with psycopg.connect(database_url()) as connection:
        connection.execute(statement)
        yield connection
        connection.rollback()


def is_stuck() -> bool:
    with psycopg.connect(database_url()) as connection:
        row = connection.execute(STUCK).fetchone()
    return row is not None and row[0] > 0


def send_and_die(person: Person, form: dict[str, str]) -> Thread:
    """Send the form in a thread: the answer never comes, since the process is killed."""

    def send() -> None:
        with pytest.raises(requests.exceptions.ConnectionError):
            person.place(form)

    thread = Thread(target=send)
    thread.start()
    return thread


def after_the_kill(person: Person, dashboard: Dashboard, form: dict[str, str]) -> str:
    """The page that the same form leads to, sent again to a new process after the deadline has passed."""
    expire(timezone.now() + DEADLINE)
    again = person.moved_to(dashboard)
    answer = again.place(form)
    assert answer.status_code == 303
    return again.read(answer.headers["Location"]).text


def test_killed_before_the_commit_nothing_was_sent_and_it_can_be_sent_again(
    start_dashboard: Start, quick_sandbox: Sandbox, operator: Operator
) -> None:
    dashboard = start_dashboard()
    person = at(dashboard, operator)
    form = person.form()
    with holding("LOCK TABLE connections_app_action IN SHARE MODE"):
        thread = send_and_die(person, form)
        wait_until(is_stuck)
        dashboard.kill()
        thread.join()
    assert not CallRequest.objects.exists()
    assert quick_sandbox.creates() == []
    after_the_kill(person, start_dashboard(), form)
    assert len(quick_sandbox.creates()) == 1


def test_killed_before_sift_heard_of_it_it_is_unknown_and_never_sent(
    start_dashboard: Start, quick_sandbox: Sandbox, operator: Operator
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        dashboard = start_dashboard(f"http://127.0.0.1:{deaf.getsockname()[1]}/v0")
        person = at(dashboard, operator)
        form = person.form()
        thread = send_and_die(person, form)
        wait_until(CallRequest.objects.exists)
        dashboard.kill()
        thread.join()
    assert "It may be ringing." in after_the_kill(person, start_dashboard(), form)
    assert quick_sandbox.creates() == []
    assert CallRequest.objects.get().outcome == Outcome.UNKNOWN


def test_killed_during_the_request_it_is_settled_by_the_callback(
    start_dashboard: Start, quick_sandbox: Sandbox, operator: Operator
) -> None:
    quick_sandbox.configure(ring_seconds=15)
    quick_sandbox.faults({"kind": "slow", "on": "create", "seconds": 1})
    dashboard = start_dashboard()
    person = at(dashboard, operator)
    form = person.form()
    thread = send_and_die(person, form)
    wait_until(quick_sandbox.creates)
    dashboard.kill()
    thread.join()
    assert CallRequest.objects.get().outcome == Outcome.SENDING
    port = int(dashboard.address.rsplit(":", 1)[1])
    assert after_the_kill(person, start_dashboard(port=port), form)
    wait_until(lambda: CallRequest.objects.get().connection, 20)
    request = CallRequest.objects.get()
    assert (request.outcome, request.settled_by) == (Outcome.ACCEPTED, "callback")
    assert len(quick_sandbox.creates()) == 1


def test_killed_before_sifts_answer_was_written_it_is_not_sent_again(
    start_dashboard: Start, quick_sandbox: Sandbox, operator: Operator
) -> None:
    quick_sandbox.faults({"kind": "slow_after", "on": "create", "seconds": 1})
    dashboard = start_dashboard(callbacks=False)
    person = at(dashboard, operator)
    form = person.form()
    thread = send_and_die(person, form)
    wait_until(quick_sandbox.creates)
    with holding("SELECT FROM connections_app_callrequest FOR UPDATE"):
        wait_until(is_stuck)
        dashboard.kill()
        thread.join()
    assert "It may be ringing." in after_the_kill(person, start_dashboard(callbacks=False), form)
    assert len(quick_sandbox.creates()) == 1


def test_asleep_past_its_time_it_sends_nothing(
    ana: Any, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connections_app.control.requests.is_in_time", lambda _: False)
    assert "Nothing was sent." in page(ana, ana.post("/calls/place/", order()))
    assert sandbox.creates() == []
