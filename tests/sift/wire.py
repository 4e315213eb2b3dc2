"""A server of which each step is written out: what it sends, what it reads, and where it breaks off."""

import os
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

TLS = Path(__file__).parent / "tls"
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
PATIENCE_SECONDS = 5.0


@dataclass
class Peer:
    """One connection, as the server has it; `heard` is what came after the handshake."""

    raw: socket.socket
    stream: socket.socket
    heard: bytes = b""

    def secure(
        self, *, wants_certificate: bool = False, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    ) -> None:
        """Make the handshake."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(TLS / "certificate.pem", TLS / "key.pem")
        context.maximum_version = newest
        if wants_certificate:
            context.verify_mode = ssl.CERT_REQUIRED
        # The socket below stays ours, to write what TLS would not.
        self.stream = context.wrap_socket(socket.socket(fileno=os.dup(self.raw.fileno())), server_side=True)
        self.stream.settimeout(PATIENCE_SECONDS)

    def read_hello(self) -> None:
        """What a client begins its handshake with."""
        self.raw.recv(65536)

    def read_head(self) -> None:
        while b"\r\n\r\n" not in self.heard:
            self._more()

    def read_all(self) -> None:
        """The whole request; it then counts as read."""
        self.read_head()
        head, _, body = self.heard.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        while length and len(body) < int(length[1]):
            self._more()
            body = self.heard.partition(b"\r\n\r\n")[2]

    def send(self, *parts: bytes) -> None:
        self.stream.sendall(b"".join(parts))

    def send_raw(self, *parts: bytes) -> None:
        """Past TLS, where there is any."""
        self.raw.sendall(b"".join(parts))

    def reset(self) -> None:
        """End the connection by RST instead of FIN."""
        for one in {self.raw, self.stream}:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _more(self) -> None:
        came = self.stream.recv(65536)
        if not came:
            raise ConnectionError("the client went away")
        self.heard += came


Play = Callable[[Peer], None]


@dataclass
class Wire:
    """The running server: its port, how many connected, and the bodies of the requests that it read whole."""

    port: int
    connections: int = 0
    read: list[bytes] = field(default_factory=list)


@contextmanager
def playing(*plays: Play) -> Iterator[Wire]:
    """A server that plays each of `plays` for one connection, and the last one for all that follow."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        wire = Wire(listener.getsockname()[1])
        playing = threading.Thread(target=_serve, args=(listener, wire, plays), daemon=True)
        playing.start()
        try:
            yield wire
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            playing.join(PATIENCE_SECONDS)


def _serve(listener: socket.socket, wire: Wire, plays: tuple[Play, ...]) -> None:
    while True:
        try:
            raw, _ = listener.accept()
        except OSError:
            return
        play = plays[min(wire.connections, len(plays) - 1)]
        wire.connections += 1
        raw.settimeout(PATIENCE_SECONDS)
        peer = Peer(raw, raw)
        try:
            with suppress(OSError):
                play(peer)
        finally:
            head, _, body = peer.heard.partition(b"\r\n\r\n")
            length = LENGTH.search(head)
            if length and len(body) == int(length[1]):
                wire.read.append(body)
            peer.stream.close()
            raw.close()
