"""The application's side of callbacks, for the sandbox's own tests: hears them and answers as told."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Body = dict[str, Any]


class Listener(ThreadingHTTPServer):
    """`answers` turns a path and a body into what is answered: JSON, or bytes as they are."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hears)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.heard: list[tuple[str, Body]] = []
        self.answers: Callable[[str, Body], Any] = nothing

    def statuses(self) -> list[str]:
        """The statuses told, in the order in which they came."""
        return [body["connection"]["status"] for path, body in self.heard if path == "/status"]

    def done(self) -> list[Body]:
        return [body for path, body in self.heard if path == "/done"]


class _Hears(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.heard.append((self.path, body))
        said = self.server.answers(self.path, body)
        encoded = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


def nothing(path: str, body: Body) -> Any:
    return {}


@contextmanager
def listening() -> Iterator[Listener]:
    with Listener() as listener:
        Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield listener
        finally:
            listener.shutdown()
