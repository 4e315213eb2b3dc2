"""Callbacks in a burst, and bodies that lie about themselves, against the web process as it runs."""

import json
import os
import random
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction
from django.urls import reverse

from connections_app.hooks.asgi import MAX_CONCURRENT
from connections_app.models import Callback, CallRequest, Connection, ConnectionEvent, Script
from tests.conftest import database_url, our_ids, wait_until
from tests.hooks.conftest import DIAL, SAY, kept, known, placed, status_of, told

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

CALLS, CLIENTS = 500, 50
Post = tuple[str, bytes]


@dataclass
class Web:
    """The web process: its port, and the file that holds all it says."""

    port: int
    said: Path

    def connect(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=30)

    def post_all(self, posts: list[Post]) -> list[tuple[int, Any]]:
        """Each answer, as (status, JSON); posted over many connections at once, each in turn."""
        shares = [posts[n::CLIENTS] for n in range(CLIENTS)]
        with ThreadPoolExecutor(CLIENTS) as threads:
            return [one for answers in threads.map(self._post_in_turn, shares) for one in answers]

    def _post_in_turn(self, posts: list[Post]) -> list[tuple[int, Any]]:
        connection = self.connect()
        try:
            return [post(connection, *one) for one in posts]
        finally:
            connection.close()

    def post_unheard(self, path: str, body: bytes) -> HTTPConnection:
        """Post, and do not wait for the answer."""
        connection = self.connect()
        connection.request("POST", path, body)
        return connection

    def get(self, path: str) -> int:
        connection = self.connect()
        connection.request("GET", path)
        status = connection.getresponse().status
        connection.close()
        return status

    def send(self, raw: bytes) -> bytes:
        """The beginning of the answer to bytes on a connection that then closes for writing."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as line:
            line.sendall(raw)
            line.shutdown(socket.SHUT_WR)
            return line.recv(1000)


@pytest.fixture(scope="module")
def web(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """The web process as it runs in production, on the test's database."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    said = tmp_path_factory.mktemp("web") / "said"
    command = ["uvicorn", "sift_dashboard.asgi:application", "--port", str(port), "--lifespan", "off"]
    with (
        said.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", *command, "--no-access-log"],
            env=os.environ | {"DATABASE_URL": database_url()},
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            wait_until(lambda: answers(port), 20)
            yield Web(port, said)
        finally:
            process.terminate()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def address(request: CallRequest) -> str:
    return reverse("hook_status", kwargs={"token": request.token})


def post(connection: HTTPConnection, path: str, body: bytes) -> tuple[int, Any]:
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    answered = connection.getresponse()
    return answered.status, json.loads(answered.read())


def test_of_a_burst_of_two_thousand_none_is_lost(web: Web) -> None:
    requests = {f"c{n:03}": placed(SAY if n % 2 else DIAL) for n in range(CALLS)}
    lives = [
        (one, told(status, one, n=n))
        for one in requests
        for n, status in enumerate(["connecting", "connected", "connected", "finished"])
    ]
    random.Random(7).shuffle(lives)  # noqa: S311
    posts = [(address(requests[one]), json.dumps(body).encode()) for one, body in lives]
    answered = web.post_all(posts)
    assert Counter(status for status, _ in answered) == {200: 4 * CALLS}
    assert Callback.objects.filter(times=1, status=200).count() == 4 * CALLS
    assert our_ids() == set(requests)
    assert set(Connection.objects.values_list("status", flat=True)) == {"finished"}
    assert not CallRequest.objects.filter(connection=None).exists()
    dialling = [body for _, body in answered if body == {"routine": DIAL}]
    assert dialling
    assert len(dialling) == Script.objects.filter(dials=True).exclude(offered_at=None).count()
    assert_no_token_was_said(web)


def test_the_same_callback_a_thousand_times_at_once_is_one_row_and_one_event(web: Web) -> None:
    request = placed(DIAL, connection=known())
    body = json.dumps(told("connected")).encode()
    answered = web.post_all(list(repeat((address(request), body), 1000)))
    assert [body for _, body in answered if body] == [{"routine": DIAL}]
    assert Counter(status for status, _ in answered) == {200: 1000}
    assert [one.times for one in kept()] == [1000]
    assert ConnectionEvent.objects.count() == 1
    assert_no_token_was_said(web)


@contextmanager
def held_up() -> Iterator[None]:
    """No callback can be kept meanwhile."""
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute("LOCK TABLE connections_app_callback IN EXCLUSIVE MODE")
        yield


def held_up_callbacks() -> int:
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])


def test_callbacks_that_wait_leave_the_database_to_people(web: Web) -> None:
    posts = [connecting(n) for n in range(40)]
    with held_up():
        posted = [web.post_unheard(*one) for one in posts]
        wait_until(lambda: held_up_callbacks() == MAX_CONCURRENT)
        assert web.get("/accounts/login/") == 200
        assert web.get("/readyz") == 200
    assert_taken_now_or_later(web, posts, posted)
    assert len(kept()) == 40


def test_who_goes_away_before_its_turn_is_handed_no_script(web: Web) -> None:
    posts = [connecting(n) for n in range(MAX_CONCURRENT)]
    late = (address(placed(DIAL)), json.dumps(told("connected", "late")).encode())
    with held_up():
        posted = [web.post_unheard(*one) for one in posts]
        wait_until(lambda: held_up_callbacks() == MAX_CONCURRENT)
        web.post_unheard(*late).close()
        assert web.get("/healthz") == 200
    assert_taken_now_or_later(web, posts, posted)
    assert "late" not in our_ids()
    assert web.post_all([late]) == [(200, {"routine": DIAL})]


def assert_taken_now_or_later(web: Web, posts: list[Post], posted: list[HTTPConnection]) -> None:
    """Each was answered 200, or is when it comes again after a 503: those that were held up for too long."""
    statuses = [one.getresponse().status for one in posted]
    assert set(statuses) <= {200, 503}
    again = [post for post, status in zip(posts, statuses, strict=True) if status == 503]
    assert [status for status, _ in web.post_all(again)] == [200] * len(again)


def connecting(number: int) -> Post:
    """The first callback of a call of its own."""
    return address(placed()), json.dumps(told("connecting", f"c{number}")).encode()


def test_a_body_without_an_end_is_refused_once_it_is_too_large(web: Web) -> None:
    request = placed()
    head = f"POST {address(request)} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", web.port), timeout=10) as line:
        line.sendall(head.encode() + (b"400\r\n" + b"x" * 1024 + b"\r\n") * 300)
        assert line.recv(1000).startswith(b"HTTP/1.1 413 ")
    assert not kept()


def test_a_body_of_unknown_length_that_is_not_too_large_is_taken(web: Web) -> None:
    request, connection = placed(), web.connect()
    body = json.dumps(told("connected", client_data="x" * 200_000)).encode()
    connection.request(
        "POST",
        address(request),
        iter([body[n : n + 999] for n in range(0, len(body), 999)]),
        encode_chunked=True,
    )
    assert connection.getresponse().status == 200
    connection.close()
    assert status_of() == "connected"


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        (b"Content-Length: 5000", b""),
        (b"Content-Length: 20", b"HTTP/1.1 400 "),
        (b"Content-Length: -1", b"HTTP/1.1 400 "),
        (b"Content-Length: many", b"HTTP/1.1 400 "),
        (b"Content-Length: 20\r\nContent-Length: 40", b"HTTP/1.1 400 "),
        (b"Transfer-Encoding: chunked", b"HTTP/1.1 400 "),
    ],
)
def test_a_body_that_is_not_as_long_as_it_says_changes_nothing(
    web: Web, headers: bytes, answer: bytes
) -> None:
    request = placed()
    head = b"POST " + address(request).encode() + b" HTTP/1.1\r\nHost: localhost\r\n" + headers
    assert web.send(head + b"\r\n\r\n" + json.dumps(told("connected")).encode()).startswith(answer)
    connection = web.connect()
    post(connection, address(request), b"[]")
    connection.close()
    assert not Connection.objects.exists()
    assert {one.status for one in kept()} == {400}
    assert_no_token_was_said(web)


def assert_no_token_was_said(web: Web) -> None:
    said = web.said.read_text()
    for request in CallRequest.objects.all():
        assert request.token not in said
