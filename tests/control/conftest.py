"""People who place and steer calls: in this process, or through a web process that may be killed."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
import requests
from django.conf import LazySettings, settings
from django.test import Client

from connections_app.models import Operator, Role
from tests.conftest import ACCOUNT, TOKEN, Sandbox, database_url, wait_until

NUMBER = "+14155550142"
SAY = '[{"name": "Say", "text": "Hello"}]'
CALL_PHONE = '[{"name": "CallPhone", "phone_number": "+14155550199"}]'
CSRF = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


@dataclass
class Dashboard:
    """The web process, at `address`; with what it takes to kill it."""

    address: str
    process: "subprocess.Popen[bytes]"

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@dataclass
class Person:
    """Somebody signed in to a web process, over HTTP."""

    dashboard: Dashboard
    session: requests.Session = field(default_factory=requests.Session)

    def form(self, **fields: str) -> dict[str, str]:
        """The form that places calls as it was opened now, filled in."""
        page = self.session.get(f"{self.dashboard.address}/calls/place/", timeout=30).text
        token = CSRF.search(page)
        assert token is not None
        return {"csrfmiddlewaretoken": token[1], "request_id": str(uuid4()), "phone_number": NUMBER} | fields

    def post(self, path: str, form: dict[str, str], timeout: float = 30) -> requests.Response:
        address = f"{self.dashboard.address}{path}"
        return self.session.post(address, form, timeout=timeout, allow_redirects=False)

    def place(self, form: dict[str, str], timeout: float = 30) -> requests.Response:
        return self.post("/calls/place/", form, timeout)

    def read(self, path: str) -> requests.Response:
        return self.session.get(f"{self.dashboard.address}{path}", timeout=30)

    def moved_to(self, dashboard: Dashboard) -> "Person":
        """The same browser, after the web process was started anew."""
        return Person(dashboard, self.session)


Start = Callable[..., Dashboard]


@contextmanager
def running_dashboard(
    environment: dict[str, str], port: int = 0, callbacks: bool = True
) -> Iterator[Dashboard]:
    """The web process; without `callbacks`, Sift is told of an address where nobody listens."""
    with socket.create_server(("127.0.0.1", port)) as probe:
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    own = {"LOCAL_URL": address if callbacks else "http://127.0.0.1:9"}
    command = ["uvicorn", "sift_dashboard.asgi:application", "--port", str(port), "--lifespan", "off"]
    with subprocess.Popen(
        [sys.executable, "-m", *command, "--no-access-log", "--log-level", "warning"],
        env=os.environ | environment | own,
    ) as process:
        try:
            wait_until(lambda: is_listening(port), 20)
            yield Dashboard(address, process)
        finally:
            process.kill()


@pytest.fixture
def start_dashboard(settings: LazySettings) -> Iterator[Start]:
    """Start a web process on the test's database, with the account in the settings, or another address."""
    with ExitStack() as started:

        def start(sift_api_url: str = "", callbacks: bool = True, port: int = 0) -> Dashboard:
            own = account(sift_api_url or settings.SIFT_API_URL)
            return started.enter_context(running_dashboard(own, port, callbacks))

        yield start


def account(sift_api_url: str) -> dict[str, str]:
    """The environment of a process that works on the test's database and sandbox."""
    return {
        "DATABASE_URL": database_url(),
        "SIFT_API_URL": sift_api_url,
        "SIFT_ACCOUNT_ID": ACCOUNT,
        "SIFT_AUTH_TOKEN": TOKEN,
    }


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def operator(make_operator: Callable[..., Operator]) -> Operator:
    return make_operator("ana", Role.OPERATOR)


def at(dashboard: Dashboard, operator: Operator) -> Person:
    """`operator`, signed in at `dashboard`."""
    client = Client()
    client.force_login(operator)
    person = Person(dashboard)
    person.session.cookies.set(
        settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value
    )
    return person


@pytest.fixture
def ana(client: Client, operator: Operator) -> Client:
    """An operator's browser, in this process."""
    client.force_login(operator)
    return client


@pytest.fixture
def quick_sandbox(sandbox: Sandbox) -> Sandbox:
    """Calls that are answered at once, and last until somebody ends them."""
    sandbox.configure(answers="connected", ring_seconds=0.2, idle_seconds=60, after_routine="stay")
    return sandbox


def order(**fields: str) -> dict[str, str]:
    """A filled-in form of this process: to the one number unless another is given."""
    whom = {} if "client_name" in fields else {"phone_number": NUMBER}
    return {"request_id": str(uuid4())} | whom | fields


def page(client: Client, answer: Any) -> str:
    """The page that an answer's redirect leads to."""
    assert answer.status_code == 303, answer.content.decode()[-3000:]
    return client.get(answer["Location"], follow=True).content.decode()
