"""A body is complete, small enough and in time before anything looks at it: through a real web process."""

import socket
from collections.abc import Iterator

import pytest
import requests

from tests.control.conftest import Dashboard, account, running_dashboard

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
HOOK = f"/hooks/sift/status/{'a' * 43}/"


@pytest.fixture(scope="module")
def dashboard(django_db_setup: None) -> Iterator[Dashboard]:
    with running_dashboard(account("http://127.0.0.1:9/v0")) as started:
        yield started


def port_of(dashboard: Dashboard) -> int:
    return int(dashboard.address.rpartition(":")[2])


def sent(dashboard: Dashboard, head: str, body: bytes = b"") -> bytes:
    """What a request written by hand is answered."""
    with socket.create_connection(("127.0.0.1", port_of(dashboard)), 30) as line:
        line.sendall(head.replace("\n", "\r\n").encode() + body)
        answer = b""
        while piece := line.recv(4096):
            answer += piece
        return answer


def test_every_oversized_callback_is_refused(dashboard: Dashboard) -> None:
    statuses = [
        requests.post(
            f"{dashboard.address}{HOOK}", data=b"x" * (256 * 1024 + 1 + 5_000 * n), timeout=30
        ).status_code
        for n in range(60)
    ]
    assert statuses == [413] * 60


def test_one_without_a_length_is_refused_too(dashboard: Dashboard) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(40):
            yield b"x" * 10_000

    answer = requests.post(f"{dashboard.address}{HOOK}", data=pieces(), timeout=30)
    assert (answer.status_code, answer.json()["error"]) == (413, "The body is too large.")


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/calls/place/"])
def test_what_is_announced_as_huge_is_refused_at_once(dashboard: Dashboard, path: str) -> None:
    head = f"POST {path} HTTP/1.1\nHost: localhost\nContent-Length: 300000000\n\n"
    answer = sent(dashboard, head, b"x" * 1000)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer.lower()


def test_a_body_that_does_not_end_is_given_up(dashboard: Dashboard) -> None:
    head = f"POST {HOOK} HTTP/1.1\nHost: localhost\nContent-Length: 100\n\n"
    assert sent(dashboard, head, b'{"half": ').startswith(b"HTTP/1.1 408 ")


def test_four_hundred_half_sent_bodies_hold_nobody_up(dashboard: Dashboard) -> None:
    head = f"POST {HOOK} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{{".encode()
    lines = [socket.create_connection(("127.0.0.1", port_of(dashboard)), 30) for _ in range(400)]
    try:
        for line in lines:
            line.sendall(head)
        for _ in range(20):
            answer = requests.post(f"{dashboard.address}{HOOK}", json={}, timeout=5)
            assert answer.status_code == 404
        assert requests.get(f"{dashboard.address}/healthz", timeout=5).status_code == 200
    finally:
        for line in lines:
            line.close()


@pytest.mark.parametrize("kind", ["status", "incoming", "done"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_address_without_its_last_slash_is_answered_the_same(
    dashboard: Dashboard, kind: str, method: str
) -> None:
    address = f"{dashboard.address}/hooks/sift/{kind}/{'a' * 43}"
    answers = [
        requests.request(method, f"{address}{end}", json={}, timeout=10, allow_redirects=False)
        for end in ("/", "")
    ]
    assert {answer.status_code for answer in answers} == {404 if method == "POST" else 405}
