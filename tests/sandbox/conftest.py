"""A sandbox that places calls, and somebody who hears its callbacks."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.conftest import ACCOUNT, TOKEN, Sandbox, running_sandbox
from tests.sandbox.listener import Listener, listening

AS_AT_START = {
    "answers": "connected",
    "ring_seconds": 1,
    "idle_seconds": None,
    "create_answer": "object",
    "ringing_hang_up": "at_once",
    "after_routine": "hang_up",
    "keys": "",
    "says": "something",
    "on_incoming": None,
    "speed": 20,
}


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


@pytest.fixture(scope="session")
def placing_sandbox() -> Iterator[Sandbox]:
    with running_sandbox("--calls", "20", "--rate", "0") as sandbox:
        yield sandbox


@pytest.fixture
def placing(placing_sandbox: Sandbox) -> Sandbox:
    """Twenty times as fast as life: calls ring for 0.05 s and connect. Shared, but as new."""
    placing_sandbox.faults()
    placing_sandbox.configure(**AS_AT_START)
    return placing_sandbox


@pytest.fixture
def post(placing: Sandbox) -> Callable[..., requests.Response]:
    def post(path: str, body: Any, timeout: float = 10, **options: Any) -> requests.Response:
        address = placing.url + path
        return requests.post(address, json=body, auth=(ACCOUNT, TOKEN), timeout=timeout, **options)

    return post


@pytest.fixture
def create(post: Callable[..., requests.Response], listener: Listener) -> Callable[..., str]:
    """Place a call, of which the listener is told; its id."""

    def create(number: str = "+14155550123") -> str:
        answer = post("/connections", {"status_url": f"{listener.url}/status", "phone_number": number})
        return str(answer.json()["connection_id"])

    return create


@pytest.fixture
def set_routine(post: Callable[..., requests.Response]) -> Callable[..., requests.Response]:
    def set_routine(connection_id: str, *commands: Any) -> requests.Response:
        return post(f"/connections/{connection_id}", {"routine": list(commands)})

    return set_routine
