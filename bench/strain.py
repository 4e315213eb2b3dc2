"""Measure callbacks and pages while one web process is under strain, and how soon it recovers.

    script/bench strain

Callbacks and pages are requested at a steady rate while, in turn, 150 people sign in at once, 14 readers of
an export stop reading, 400 bodies are half sent, and PostgreSQL is frozen for 20 s. Printed for each are the
answers, the slowest of them, and the seconds until everything is answered 200 again.
"""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlencode

import psutil

from bench._web import close, environment_on, prepare, web
from bench.sync import bench_database

SIGN_INS, READERS, HALF_SENT = 150, 14, 400
FROZEN_SECONDS = 20.0
PASSWORD = "correct horse battery"  # noqa: S105 - of people who exist for this run only
CALLBACKS_EVERY_SECONDS, PAGES_EVERY_SECONDS = 0.05, 0.25
LIMIT_SECONDS = 1.0  # for a callback
NORMAL_SECONDS = 5.0  # until everything is normal again
NEVER_SET = Event()


@dataclass
class Answers:
    """The answers to one kind of request: how many with each status, and the slowest in seconds."""

    statuses: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0

    def __str__(self) -> str:
        shown = ", ".join(f"{count} x {status}" for status, count in sorted(self.statuses.items()))
        return f"{shown or 'none'}; slowest {self.slowest * 1000:.0f} ms"


@dataclass
class People:
    """The token of callbacks, and the sessions of supervisors."""

    token: str
    sessions: list[str]


@dataclass
class Client:
    """A client of the web process at `port`. Each request times out after 30 s."""

    port: int
    people: People

    def callback(self, number: int = 0) -> http.client.HTTPResponse:
        """Send a callback about an incoming call."""
        call = {"connection_id": f"c{number}", "status": "connecting", "to": "+14155550142"}
        return self.request(
            "POST", f"/hooks/sift/incoming/{self.people.token}/", json.dumps({"connection": call})
        )

    def page(self, path: str = "/calls/", session: int = -1) -> http.client.HTTPResponse:
        """Request a page as a supervisor."""
        return self.request("GET", path, headers={"Cookie": f"sessionid={self.people.sessions[session]}"})

    def request(
        self, method: str, path: str, body: str = "", headers: dict[str, str] | None = None
    ) -> http.client.HTTPResponse:
        """Send a request. Raises `OSError` without an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body, headers or {})
        return connection.getresponse()

    def is_normal(self) -> bool:
        """Return True if callback, page and readiness are answered 200 within LIMIT_SECONDS in total."""
        began = time.monotonic()
        try:
            answers = [self.callback(), self.page(), self.request("GET", "/readyz")]
        except OSError:
            return False
        return {one.status for one in answers} == {200} and time.monotonic() - began < LIMIT_SECONDS


def main() -> None:
    """Run all strains, and exit with those that missed a limit."""
    with bench_database() as database_url:
        environment = environment_on(database_url)
        prepare(environment)
        collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"]
        subprocess.run(collect, env=environment, check=True)
        people = make_people()
        close()
        with web(("sift_dashboard.asgi:application",), environment) as running:
            client = Client(running.port, people)
            await_normal(client)
            strains: dict[str, Callable[[Client], object]] = {
                f"{SIGN_INS} sign-ins at once": sign_in_at_once,
                f"{READERS} stalled readers for 10 s": read_nothing,
                f"{HALF_SENT} half-sent bodies for 10 s": send_half,
                f"PostgreSQL frozen for {FROZEN_SECONDS:.0f} s": freeze,
            }
            missed = [name for name, strain in strains.items() if not is_good(name, strain, client)]
        close()
    if missed:
        sys.exit(f"Missed: {'; '.join(missed)}")


def is_good(name: str, strain: Callable[[Client], object], client: Client) -> bool:
    """Run one strain and print the answers meanwhile. Returns True if every limit was met."""
    with steadily(client) as (callbacks, pages):
        result = strain(client)
    seconds = await_normal(client)
    print(f"{name}\n  callbacks: {callbacks}\n  pages: {pages}\n  normal again after {seconds:.1f} s")
    if result:
        print(f"  {result}")
    kept = set(callbacks.statuses) <= {200, 503} and callbacks.slowest < LIMIT_SECONDS
    return kept and set(pages.statuses) <= {200, 503} and seconds < NORMAL_SECONDS


@contextmanager
def steadily(client: Client) -> Iterator[tuple[Answers, Answers]]:
    """Send callbacks and request pages at a steady rate, without waiting for earlier answers."""
    over, answers = Event(), (Answers(), Answers())
    kinds = ((client.callback, CALLBACKS_EVERY_SECONDS), (client.page, PAGES_EVERY_SECONDS))
    with ThreadPoolExecutor(200) as threads:

        def go_on(request: Callable[[], http.client.HTTPResponse], every: float, into: Answers) -> None:
            while not over.wait(every):
                threads.submit(count, request, into)

        pacers = [Thread(target=go_on, args=(*one, into)) for one, into in zip(kinds, answers, strict=True)]
        for pacer in pacers:
            pacer.start()
        yield answers
        over.set()
        for pacer in pacers:
            pacer.join()


def count(request: Callable[[], http.client.HTTPResponse], into: Answers) -> int:
    """Send a request and add its answer. Returns the status, 0 without an answer."""
    began, status = time.monotonic(), 0
    with suppress(OSError):
        status = request().status
    into.statuses[status] += 1
    into.slowest = max(into.slowest, time.monotonic() - began)
    return status


def await_normal(client: Client) -> float:
    """Return the seconds until callbacks, pages and readiness are answered 200, within a second."""
    began = time.monotonic()
    while not client.is_normal():
        if time.monotonic() - began > 60:
            sys.exit("It is not normal again after a minute.")
        NEVER_SET.wait(0.1)
    return time.monotonic() - began


# The strains


def sign_in_at_once(client: Client) -> str:
    """Sign in SIGN_INS people at the same time."""

    def sign_in(number: int) -> http.client.HTTPResponse:
        fields = {"csrfmiddlewaretoken": "c" * 32, "username": f"p{number}", "password": PASSWORD}
        headers = {
            "Cookie": f"csrftoken={'c' * 32}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return client.request("POST", "/accounts/login/", urlencode(fields), headers)

    signed_in = Answers()
    with ThreadPoolExecutor(SIGN_INS) as threads:
        list(threads.map(lambda n: count(lambda: sign_in(n), signed_in), range(SIGN_INS)))
    return f"sign-ins: {signed_in}"


def read_nothing(client: Client) -> str:
    """Start READERS exports without reading them."""
    begun = Answers()
    with ExitStack() as opened:
        for number in range(READERS):
            line = opened.enter_context(socket.create_connection(("127.0.0.1", client.port), timeout=30))
            body = urlencode({"csrfmiddlewaretoken": "c" * 32})
            cookies = f"sessionid={client.people.sessions[number % 5]}; csrftoken={'c' * 32}"
            head = f"POST /contacts/export/ HTTP/1.1\r\nHost: localhost\r\nCookie: {cookies}\r\n"
            head += "Content-Type: application/x-www-form-urlencoded\r\n"
            line.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            begun.statuses[int(line.recv(12)[9:12])] += 1
        NEVER_SET.wait(10)
    return f"exports begun: {begun}"


def send_half(client: Client) -> None:
    """Send HALF_SENT requests without the rest of their bodies."""
    with ExitStack() as opened:
        for number in range(HALF_SENT):
            line = opened.enter_context(socket.create_connection(("127.0.0.1", client.port), timeout=30))
            path = f"/hooks/sift/incoming/{client.people.token}/" if number % 2 else "/accounts/login/"
            head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
            line.sendall(head.encode() + b"{")
        NEVER_SET.wait(10)


def freeze(_: Client) -> None:
    """Freeze the private PostgreSQL for FROZEN_SECONDS."""
    from launch.postgres import Postgres

    postgres = Postgres(Path(os.environ["DATA_DIR"]))
    postgres.place = postgres.find_place()
    main_process = postgres.process()
    if main_process is None:
        sys.exit("Only the private PostgreSQL can be frozen: leave DATABASE_URL unset.")
    everything: list[psutil.Process] = [main_process, *main_process.children(recursive=True)]
    try:
        for process in everything:
            process.send_signal(signal.SIGSTOP)
        NEVER_SET.wait(FROZEN_SECONDS)
    finally:
        for process in everything:
            process.send_signal(signal.SIGCONT)


def make_people() -> People:
    """Create people to sign in, supervisors with sessions, and contacts to export."""
    from django.conf import settings
    from django.contrib.auth.hashers import make_password
    from django.contrib.auth.models import Group
    from django.test import Client as Browser

    from connections_app.models import Contact, Operator, Role
    from connections_app.sync.account import claim

    settings.ALLOWED_HOSTS.append("testserver")
    password = make_password(PASSWORD)
    Operator.objects.bulk_create([Operator(username=f"p{n}", password=password) for n in range(SIGN_INS)])
    Contact.objects.bulk_create(
        [Contact(endpoint=f"+1415{n:07}", name=f"n{n}", notes="x" * 1500) for n in range(10_000)], 2000
    )
    sessions = []
    for number in range(6):
        supervisor = Operator.objects.create(username=f"s{number}")
        supervisor.groups.add(Group.objects.get(name=Role.SUPERVISOR))
        browser = Browser()
        browser.force_login(supervisor)
        sessions.append(browser.cookies[settings.SESSION_COOKIE_NAME].value)
    return People(claim().incoming_token, sessions)


if __name__ == "__main__":
    main()
