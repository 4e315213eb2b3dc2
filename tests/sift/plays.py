"""How a server can behave at each point of a connection: what it reads and sends, and where it breaks off."""

import gzip
import ssl

from tests.sift.wire import Peer, Play

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
MADE = b'{"connection_id": "made-by-the-wire"}'
WHOLE = HEAD + b"Content-Length: %d\r\n\r\n" % len(MADE) + MADE


def close(peer: Peer) -> None:
    """At once."""


def close_after_hello(peer: Peer) -> None:
    peer.read_hello()


def reset_after_hello(peer: Peer) -> None:
    peer.read_hello()
    peer.reset()


def plaintext(peer: Peer) -> None:
    peer.read_hello()
    peer.send_raw(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def nonsense(peer: Peer) -> None:
    peer.read_hello()
    peer.send_raw(bytes(range(256)))


def half_a_handshake(peer: Peer) -> None:
    peer.read_hello()
    peer.send_raw(b"\x16\x03\x03\x02\x00\x02\x00")


def an_alert(peer: Peer) -> None:
    peer.read_hello()
    peer.send_raw(b"\x15\x03\x03\x00\x02\x02\x28")


def certificate_wanted_in_tls_1_2(peer: Peer) -> None:
    peer.secure(wants_certificate=True, newest=ssl.TLSVersion.TLSv1_2)


BROKEN_HANDSHAKES: list[Play] = [
    close,
    close_after_hello,
    reset_after_hello,
    plaintext,
    nonsense,
    half_a_handshake,
    an_alert,
    certificate_wanted_in_tls_1_2,
]


def close_after_handshake(peer: Peer) -> None:
    peer.secure()


def reset_after_handshake(peer: Peer) -> None:
    peer.secure()
    peer.reset()


def certificate_wanted_in_tls_1_3(peer: Peer) -> None:
    """The client ends its handshake, and sends, before it can hear that it was refused."""
    peer.secure(wants_certificate=True)


def close_after_headers(peer: Peer) -> None:
    peer.secure()
    peer.read_head()


def having_read(*answer: bytes, raw: bytes = b"", reset: bool = False) -> Play:
    """Reads the whole request, and then answers what is no whole answer."""

    def play(peer: Peer) -> None:
        peer.secure()
        peer.read_all()
        peer.send(*answer)
        peer.send_raw(raw)
        if reset:
            peer.reset()

    return play


LONG = b"x" * 70_000
BROKEN_ANSWERS: dict[str, Play] = {
    "close after the handshake": close_after_handshake,
    "reset after the handshake": reset_after_handshake,
    "certificate wanted in TLS 1.3": certificate_wanted_in_tls_1_3,
    "close after the headers": close_after_headers,
    "close": having_read(),
    "reset": having_read(reset=True),
    "corrupt record": having_read(raw=b"\x17\x03\x03\x00\x20" + b"?" * 32),
    "record of a wrong type": having_read(raw=b"\x63\x03\x03\x00\x01?"),
    "record that is too long": having_read(raw=b"\x17\x03\x03\xff\xff" + b"?" * 32),
    "half a record": having_read(raw=b"\x17\x03\x03\x00\x20?"),
    "plaintext": having_read(raw=WHOLE),
    "an alert": having_read(raw=b"\x15\x03\x03\x00\x02\x02\x28"),
    "half a status line": having_read(b"HTTP/1.1 20"),
    "no status line": having_read(b"nonsense\r\n\r\n"),
    "a status line that is too long": having_read(b"HTTP/1.1 200 ", LONG),
    "an impossible status": having_read(b"HTTP/1.1 99 No\r\n\r\n"),
    "another protocol": having_read(b"SIP/2.0 200 OK\r\n\r\n"),
    "half the headers": having_read(HEAD),
    "a header that is too long": having_read(HEAD, b"X: ", LONG, b"\r\n\r\n"),
    "too many headers": having_read(HEAD, b"X: y\r\n" * 200, b"\r\n"),
    "corrupt record in the headers": having_read(HEAD, raw=b"\x17\x03\x03\x00\x20" + b"?" * 32),
    "half the body": having_read(HEAD, b"Content-Length: 100\r\n\r\n", MADE),
    "half the body, reset": having_read(HEAD, b"Content-Length: 100\r\n\r\n", MADE, reset=True),
    "corrupt record in the body": having_read(
        HEAD, b"Content-Length: 100\r\n\r\n", MADE, raw=b"\x17\x03\x03\x00\x20" + b"?" * 32
    ),
    "corrupt gzip": having_read(HEAD, b"Content-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot-gzip!"),
    "half of gzip": having_read(HEAD, b"Content-Encoding: gzip\r\n\r\n", gzip.compress(MADE)[:20]),
    "an impossible chunk": having_read(HEAD, b"Transfer-Encoding: chunked\r\n\r\nbanana\r\n"),
    "half a chunk": having_read(HEAD, b"Transfer-Encoding: chunked\r\n\r\n64\r\n", MADE),
    "no last chunk": having_read(
        HEAD, b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(MADE), MADE, b"\r\n"
    ),
    "an answer that is too large": having_read(HEAD, b"\r\n", b" " * (17 * 1024 * 1024)),
    "no JSON": having_read(HEAD, b"\r\n<html>"),
    "half of the JSON": having_read(HEAD, b"\r\n", MADE[:-1]),
    "a redirect": having_read(b"HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/\r\n\r\n"),
    "a redirect to nowhere": having_read(b"HTTP/1.1 301 Moved\r\nLocation: http://[\r\n\r\n"),
    "another protocol is announced": having_read(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"),
    "hints and then nothing": having_read(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
    "500": having_read(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"),
    "408": having_read(b"HTTP/1.1 408 Oh\r\nContent-Length: 0\r\n\r\n"),
    "999": having_read(b"HTTP/1.1 999 Oh\r\nContent-Length: 0\r\n\r\n"),
    "400 of which the body is cut": having_read(b"HTTP/1.1 400 Oh\r\nContent-Length: 9\r\n\r\n{"),
    "Retry-After that no clock knows": having_read(
        b"HTTP/1.1 503 Oh\r\nRetry-After: Fri, 31 Dec 9999 23:59:59 -1200\r\nContent-Length: 0\r\n\r\n"
    ),
}
