"""A list that a test writes page by page, over HTTP."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# What is answered to the request for a path with its query: a page as JSON, or bytes as they are.
Answer = Callable[[str], dict[str, Any] | bytes]


@dataclass
class Listing:
    """Sift's face at `url`, and the paths that were asked for."""

    url: str
    asked: list[str] = field(default_factory=list)


@contextmanager
def listing(answer: Answer) -> Iterator[Listing]:
    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            told = answer(self.path)
            body = told if isinstance(told, bytes) else json.dumps(told).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Not to the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        served = Listing(f"http://127.0.0.1:{server.server_port}/v0")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield served
        finally:
            server.shutdown()


def row(number: int) -> dict[str, Any]:
    """A finished call; those with higher numbers are older."""
    began = datetime(2026, 2, 1, tzinfo=UTC) - timedelta(hours=number)
    return {
        "connection_id": f"call-{number}",
        "status": "finished",
        "start_time": began.isoformat(),
        "end_time": (began + timedelta(minutes=3)).isoformat(),
    }
