"""HTTP requests and answers, for Sift's API and the interface for tests."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

LARGEST_BODY = 64 * 1024 * 1024  # bytes
ENDLESS_CHUNKS = 1024  # of 64 KB


@dataclass(frozen=True)
class Request:
    """A request: `path` is percent-encoded, header names are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    client: str
    body: bytes

    def json(self) -> Any:
        """Return the decoded body, None if it is empty. Raises `ValueError`."""
        return json.loads(self.body or b"null")


@dataclass
class Answer:
    """An answer. `cut` closes the connection after half of the body, `endless` sends 64 MB.

    `never` sends nothing until the client disconnects.
    """

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    endless: bool = False
    never: bool = False


def answer(status: int, value: Any, **headers: str) -> Answer:
    """Return an answer with `value` as JSON."""
    return Answer(status, json.dumps(value).encode(), {k.replace("_", "-"): v for k, v in headers.items()})


def error(status: int, words: str, **headers: str) -> Answer:
    """Return an error as Sift writes it."""
    return answer(status, {"error": words}, **headers)


async def read(scope: Scope, receive: Receive) -> Request:
    """Read a request; a body is cut off after LARGEST_BODY."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body") or len(body) > LARGEST_BODY:
            break
    return Request(
        method=scope["method"],
        path=scope["raw_path"].decode("ascii", "replace").split("?")[0],
        query=dict(parse_qsl(scope["query_string"].decode("ascii", "replace"))),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        client=(scope.get("client") or ("", 0))[0],
        body=body,
    )


async def write(send: Send, receive: Receive, reply: Answer) -> None:
    """Send an answer, with the faults set in it."""
    if reply.never:
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    headers = {"content-type": "application/json"} | reply.headers
    if not reply.endless:
        # An empty body has no half: announce one byte, so that the client notices the cut.
        headers["content-length"] = str(max(len(reply.body), int(reply.cut)))
    encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": encoded})
    for _ in range(ENDLESS_CHUNKS if reply.endless else 0):
        await send({"type": "http.response.body", "body": b" " * 65536, "more_body": True})
    if reply.cut:
        await send(
            {"type": "http.response.body", "body": reply.body[: len(reply.body) // 2], "more_body": True}
        )
        raise ConnectionResetError("cut on purpose")
    await send({"type": "http.response.body", "body": reply.body})


def last_segment(path: str) -> str:
    """Return the last segment of a path, decoded."""
    return unquote(path.rsplit("/", 1)[-1])
