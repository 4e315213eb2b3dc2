"""A web process of its own, and streams that are read from it over HTTP."""

import http.client
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, Queue
from threading import Thread
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client

from connections_app.models import Operator
from tests.control.conftest import Dashboard, account, running_dashboard


@dataclass
class Stream:
    """What one reader has been sent; `seconds` limit every wait."""

    dashboard: Dashboard
    cookie: str = ""
    query: str = ""
    seconds: float = 30.0
    events: "Queue[tuple[str, dict[str, Any]]]" = field(default_factory=Queue)
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)

    def open(self) -> "Stream":
        """Read on in a thread until the other side ends."""
        self.connection = http.client.HTTPConnection(urlsplit(self.dashboard.address).netloc, timeout=60)
        self.connection.request("GET", f"/events/{self.query}", headers={"Cookie": self.cookie})
        answer = self.connection.getresponse()
        self.status, self.headers = answer.status, dict(answer.getheaders())
        Thread(target=self._read, args=(answer,), daemon=True).start()
        return self

    def next(self, *names: str) -> dict[str, Any]:
        """The data of the next event with one of `names`; what comes before it is passed over."""
        deadline = monotonic() + self.seconds
        while True:
            name, told = self.events.get(timeout=max(0.01, deadline - monotonic()))
            if name in names:
                return told

    def until(self, condition: Callable[[dict[str, Any]], Any], *names: str) -> dict[str, Any]:
        """The data of the first event that `condition` holds for."""
        while True:
            told = self.next(*(names or ("snapshot", "calls")))
            if condition(told):
                return told

    def ends(self) -> bool:
        """Whether the other side ends the stream in time."""
        try:
            self.next("end")
        except Empty:
            return False
        return True

    def close(self) -> None:
        # Wakes the thread that reads; closing alone would wait for it.
        with suppress(OSError):
            self.connection.sock.shutdown(socket.SHUT_RDWR)
        self.connection.close()

    def _read(self, answer: http.client.HTTPResponse) -> None:
        name = ""
        try:
            for line in answer:
                kind, _, value = line.decode().rstrip("\n").partition(": ")
                if kind == "event":
                    name = value
                elif kind == "data":
                    self.events.put((name, json.loads(value)))
        except (OSError, http.client.HTTPException, ValueError, AttributeError):
            pass  # Closed, or killed: it ends all the same.
        self.events.put(("end", {}))


Watch = Callable[..., Stream]


# A Sift where nobody listens.
NOBODY = "http://127.0.0.1:9/v0"


@pytest.fixture(scope="module")
def dashboard(django_db_setup: None) -> Iterator[Dashboard]:
    """One web process for the tests of a file."""
    with running_dashboard(account(NOBODY)) as dashboard:
        yield dashboard


@pytest.fixture
def watch(dashboard: Dashboard) -> Iterator[Watch]:
    """Open a stream for an operator, or for nobody; `query` is as `?brief`."""
    opened = []

    def watch(operator: Operator | None = None, query: str = "", at: Dashboard | None = None) -> Stream:
        cookie = cookie_of(operator) if operator else ""
        opened.append(Stream(at or dashboard, cookie, query).open())
        return opened[-1]

    yield watch
    for stream in opened:
        stream.close()


def cookie_of(operator: Operator) -> str:
    """A browser's cookie after `operator` has signed in."""
    return f"{settings.SESSION_COOKIE_NAME}={session_of(operator)}"


def session_of(operator: Operator) -> str:
    """The key of a session in which `operator` has signed in."""
    client = Client()
    client.force_login(operator)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def row_of(told: dict[str, Any], connection_id: str) -> dict[str, Any] | None:
    """The row of one call in an event, where it has one."""
    return next((row for row in told["rows"] if row["call"] == connection_id), None)
