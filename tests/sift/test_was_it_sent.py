"""“Nothing was sent” is said of a POST only where nothing of it left; whatever else breaks is unknown."""

import http.client
import inspect
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import urllib3

from connections_app.sift.client import SiftClient
from connections_app.sift.outcomes import Accepted, Placed, Rejected, Unknown
from tests.sift.plays import BROKEN_ANSWERS, BROKEN_HANDSHAKES, HEAD, WHOLE, having_read, plaintext
from tests.sift.wire import TLS, Peer, Play, playing

ENDPOINT = {"phone_number": "+14155550142"}
NOTHING_WAS_SENT = "Nothing was sent."


@pytest.fixture(autouse=True)
def _trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(TLS / "certificate.pem"))
    monkeypatch.setenv("NO_PROXY", "nowhere.example")


def client_of(port: int, scheme: str = "https", host: str = "localhost") -> SiftClient:
    return SiftClient(f"{scheme}://{host}:{port}/v0", "tests", "tests-token", read_seconds=2)


def place(port: int, **where: str) -> Placed | Rejected | Unknown:
    return client_of(port, **where).place(ENDPOINT, "https://dashboard.example/hooks/")


# Before the request can leave: the server never has any of it.


@pytest.mark.parametrize("play", BROKEN_HANDSHAKES)
def test_where_no_secure_connection_came_about_nothing_was_sent(play: Play) -> None:
    with playing(play) as wire:
        outcome = place(wire.port)
    assert isinstance(outcome, Rejected)
    assert outcome.reason.startswith(f"No secure connection to Sift at https://localhost:{wire.port}/v0") or (
        outcome.reason.startswith(f"No connection to Sift at https://localhost:{wire.port}/v0")
    )
    assert outcome.reason.endswith(NOTHING_WAS_SENT)
    assert (wire.read, wire.connections) == ([], 1)


def test_a_certificate_that_is_not_trusted_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with playing(Peer.secure) as wire:
        outcome = place(wire.port)
    words = "Sift's certificate could not be verified (self-signed certificate). Nothing was sent."
    assert outcome == Rejected(words)


def test_a_certificate_for_another_name_is_named() -> None:
    with playing(Peer.secure) as wire:
        outcome = place(wire.port, host="127.0.0.1")
    assert isinstance(outcome, Rejected)
    assert outcome.reason.startswith("Sift's certificate could not be verified (IP address mismatch")
    assert outcome.reason.endswith(NOTHING_WAS_SENT)


def test_a_missing_file_of_certificates_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/certificates.pem")
    outcome = place(9)
    assert isinstance(outcome, Rejected)
    assert "/nowhere/certificates.pem. Nothing was sent." in outcome.reason


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", ["localhost", "no-such-host.invalid"])
def test_where_nobody_listens_nothing_was_sent(scheme: str, host: str) -> None:
    outcome = place(9, scheme=scheme, host=host)
    assert outcome == Rejected(f"No connection to Sift at {scheme}://{host}:9/v0. Nothing was sent.")


def test_a_name_that_no_server_can_have_was_sent_nothing() -> None:
    outcome = place(9, host=f"{'x' * 64}.example")
    assert outcome == Rejected("Sift could not be asked (LocationParseError). Nothing was sent.")


def test_a_server_that_takes_no_connection_was_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connections_app.sift.client.CONNECT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        outcome = place(address[1], scheme="http", host="127.0.0.1")
        for one in waiting:
            one.close()
    assert isinstance(outcome, Rejected)
    assert outcome.reason.endswith(f" {NOTHING_WAS_SENT}")


def tunnel(answer: bytes) -> Play:
    def play(peer: Peer) -> None:
        peer.read_head()
        peer.send(answer)

    return play


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "(407 Proxy Authentication Required)"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "(502 Bad Gateway)"),
        (b"nonsense\r\n\r\n", "No connection to Sift"),
        (b"", "No connection to Sift"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "No "),
    ],
)
def test_a_proxy_that_makes_no_tunnel_was_sent_nothing(
    monkeypatch: pytest.MonkeyPatch, answer: bytes, words: str
) -> None:
    with playing(tunnel(answer)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://someone:secret@127.0.0.1:{proxy.port}")
        outcome = client_of(443, host="sift.example").place(ENDPOINT, "")
    assert isinstance(outcome, Rejected)
    assert words in outcome.reason
    assert outcome.reason.endswith(NOTHING_WAS_SENT)
    assert "secret" not in outcome.reason
    assert proxy.connections == 1


@pytest.mark.parametrize(
    "proxy", ["http://127.0.0.1:9", "https://127.0.0.1:9", "socks5://127.0.0.1:9", "http://"]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_cannot_be_used_was_sent_nothing(
    monkeypatch: pytest.MonkeyPatch, scheme: str, proxy: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy)
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    outcome = place(443, scheme=scheme, host="sift.example")
    assert isinstance(outcome, Rejected)
    assert outcome.reason.endswith(NOTHING_WAS_SENT)


# After it may have left: whether the server read it is known to the server alone.


@pytest.mark.parametrize("play", BROKEN_ANSWERS.values(), ids=list(BROKEN_ANSWERS))
def test_where_it_may_have_left_the_outcome_is_unknown(play: Play) -> None:
    with playing(play) as wire:
        outcome = place(wire.port)
    assert isinstance(outcome, Unknown), outcome
    assert NOTHING_WAS_SENT not in outcome.reason
    assert wire.connections == 1


def test_a_corrupt_record_after_the_request_was_read() -> None:
    """The one that dialled twice: an SSLError, as for a certificate."""
    with playing(BROKEN_ANSWERS["corrupt record"]) as wire:
        outcome = place(wire.port)
    assert len(wire.read) == 1
    assert outcome == Unknown(
        "The secure connection to Sift broke off (decryption failed or bad record mac)."
    )


def test_a_routine_is_judged_in_the_same_way() -> None:
    def pushed(play: Play) -> Accepted | Rejected | Unknown:
        with playing(play) as wire:
            return client_of(wire.port).set_routine("a-call", [{"name": "HangUp"}])

    assert isinstance(pushed(BROKEN_ANSWERS["corrupt record"]), Unknown)
    assert isinstance(pushed(plaintext), Rejected)
    assert pushed(having_read(HEAD, b"Content-Length: 0\r\n\r\n")) == Accepted()


def test_a_whole_answer_over_tls_is_understood() -> None:
    with playing(having_read(WHOLE)) as wire:
        assert place(wire.port) == Placed("made-by-the-wire")
    assert b"+14155550142" in wire.read[0]


def test_a_forwarding_proxy_may_have_passed_it_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_off(peer: Peer) -> None:
        peer.read_all()

    with playing(break_off) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        outcome = client_of(80, "http", "sift.example").place(ENDPOINT, "")
    assert isinstance(outcome, Unknown)


def test_a_proxy_that_wants_credentials_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(peer: Peer) -> None:
        peer.read_all()
        peer.send(b"HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n")

    with playing(refuse) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        outcome = client_of(80, "http", "sift.example").place(ENDPOINT, "")
    assert outcome == Rejected("The proxy on the way to Sift asks for a name and a password.", 407)


def test_the_seconds_of_the_message_are_those_that_were_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connections_app.sift.client.LATE_SECONDS", 0.3)
    let_go = threading.Event()

    def be_silent(peer: Peer) -> None:
        peer.secure()
        peer.read_all()
        let_go.wait(5)

    with playing(be_silent) as wire:
        outcome = place(wire.port)
        let_go.set()
    assert outcome == Unknown("Sift did not answer within 0.3 s.")


def test_what_has_not_left_when_the_wait_is_over_never_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connections_app.sift.client.POST_SECONDS", 0.5)
    let_go, late = threading.Event(), []

    def make_them_wait(peer: Peer) -> None:
        let_go.wait(5)
        peer.secure()
        peer.read_all()

    with playing(make_them_wait) as wire:
        outcome = client_of(wire.port).place(ENDPOINT, "", late.append)
        let_go.set()
        for thread in [one for one in threading.enumerate() if one.name == "sift-post"]:
            thread.join(5)
    assert outcome == Rejected("No connection to Sift was made within 0.5 s. Nothing was sent.")
    assert (wire.read, late) == ([], [])


# Whatever the libraries raise, wherever they do.


def exceptions() -> Iterator[Exception]:
    """One of each exception that requests, urllib3, ssl, http.client, socket and Python may raise."""
    modules = (requests.exceptions, urllib3.exceptions, ssl, http.client, socket, __builtins__)
    named = {
        value
        for module in modules
        for value in (module.values() if isinstance(module, dict) else vars(module).values())
        if inspect.isclass(value) and issubclass(value, Exception) and not issubclass(value, Warning)
    }
    for kind in sorted(named, key=lambda one: f"{one.__module__}.{one.__qualname__}"):
        if not issubclass(kind, ExceptionGroup):  # needs what it groups
            yield kind.__new__(kind)


def answer_in_plain(peer: Peer) -> None:
    peer.read_all()
    peer.send(WHOLE)


def raised_at(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, error: Exception, after: bool) -> None:
    original = getattr(where, name)

    def fail(*arguments: Any, **options: Any) -> Any:
        if after:
            original(*arguments, **options)
        raise error

    monkeypatch.setattr(where, name, fail)


@pytest.mark.parametrize(
    ("where", "name", "after"),
    [
        (urllib3.connection.HTTPConnection, "request", True),
        (urllib3.connection.HTTPConnection, "getresponse", False),
        (urllib3.connection.HTTPConnection, "getresponse", True),
        (urllib3.connectionpool.HTTPConnectionPool, "urlopen", True),
        (requests.adapters.HTTPAdapter, "send", True),
        (requests.adapters.HTTPAdapter, "send", False),
        (requests.Session, "send", False),
        (requests.Session, "post", True),
        (requests.Response, "iter_content", False),
        (requests.Response, "close", True),
        (urllib3.response.HTTPResponse, "stream", False),
    ],
)
def test_no_exception_is_taken_for_nothing_sent_where_it_may_have_left(
    monkeypatch: pytest.MonkeyPatch, where: Any, name: str, after: bool
) -> None:
    wrong: dict[str, object] = {}
    with playing(answer_in_plain) as wire:
        client = client_of(wire.port, "http")
        for error in exceptions():
            with monkeypatch.context() as patched:
                raised_at(patched, where, name, error, after)
                outcome = client.place(ENDPOINT, "")
            if isinstance(outcome, Rejected) or NOTHING_WAS_SENT in str(outcome):
                wrong[type(error).__qualname__] = outcome
    assert wrong == {}


@pytest.mark.parametrize("name", ["connect", "_new_conn"])
def test_every_exception_while_connecting_says_that_nothing_was_sent(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    wrong: dict[str, object] = {}
    with playing(answer_in_plain) as wire:
        client = client_of(wire.port, "http")
        for error in exceptions():
            with monkeypatch.context() as patched:
                raised_at(patched, urllib3.connection.HTTPConnection, name, error, False)
                outcome = client.place(ENDPOINT, "")
            if not isinstance(outcome, Rejected) or not outcome.reason.endswith(NOTHING_WAS_SENT):
                wrong[type(error).__qualname__] = outcome
    assert (wrong, wire.connections) == ({}, 0)


# A GET may be sent again, unless that cannot help.

PAGE = b'{"next": null, "results": []}'
A_PAGE = having_read(HEAD + b"Content-Length: %d\r\n\r\n" % len(PAGE) + PAGE)


@pytest.mark.parametrize("name", ["corrupt record", "half the body", "corrupt gzip", "close"])
def test_a_page_that_broke_off_is_read_again(name: str) -> None:
    with playing(BROKEN_ANSWERS[name], A_PAGE) as wire:
        client = client_of(wire.port)
        assert client.list_page(client.list_url).observations == ()
        client.close()
    assert wire.connections == 2


def test_a_certificate_that_is_refused_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with playing(Peer.secure) as wire:
        client = client_of(wire.port)
        with pytest.raises(Exception, match="certificate could not be verified"):
            client.list_page(client.list_url)
    assert wire.connections == 1
