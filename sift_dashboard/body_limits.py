"""Limits of size and time for request bodies, by path, applied before anything else reads them.

Without this, a body of any size is written to disk before it is refused, and one that never ends occupies a
thread. A body is complete, and in memory, before the application is called.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from connections_app.contacts.csv_files import MAX_FILE_BYTES as LARGEST_IMPORT
from connections_app.hooks.received import MAX_BODY_BYTES as LARGEST_CALLBACK

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]

KB = 1024
# Bytes by the beginning of the path, the first match counts; deploy/nginx.conf has the same limits.
LIMITS = {
    "/hooks/": LARGEST_CALLBACK,
    "/accounts/login/": 64 * KB,
    "/contacts/import/": LARGEST_IMPORT + 64 * KB,  # the rest of the form around the file
    "/routines/": 2560 * KB,  # a routine of a hundred commands, each with fifty answers, is one form
    "/": KB * KB,
}
BODY_SECONDS = 10.0  # for a whole body
SLOWEST_BYTES_PER_SECOND = 32 * KB  # larger bodies have more time
DRAINED_BYTES = 4 * KB * KB  # read after the limit, so that the sender still receives the answer
DRAIN_SECONDS = 2.0
MAX_HELD_BYTES = 128 * KB * KB  # of all incomplete bodies
TIMEOUT, TOO_LARGE, UNAVAILABLE = 408, 413, 503
WORDS = {
    TIMEOUT: "The body did not arrive in time.",
    TOO_LARGE: "The body is too large.",
    UNAVAILABLE: "Too much is being sent at the moment. Try again in a few seconds.",
}


class Refused(Exception):
    """The body is not accepted; `status` states why."""

    def __init__(self, status: int) -> None:
        super().__init__(WORDS[status])
        self.status = status


class Gone(Exception):
    """The sender went away before the body was complete."""


@dataclass
class Bodies:
    """ASGI: passes a request to `application` once its body is complete, within the limits of its path."""

    application: Application
    held_bytes: int = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"]) if scope["type"] == "http" else {}
        if b"transfer-encoding" not in headers and headers.get(b"content-length", b"0") == b"0":
            await self.application(scope, receive, send)
            return
        limit = _limit_of(scope["path"])
        try:
            body = await self._complete(receive, limit, int(headers.get(b"content-length", b"0")))
        except Gone:
            return
        except Refused as refused:
            await _drain(receive)
            await _answer(send, refused.status, is_json=scope["path"].startswith("/hooks/"))
            return
        await self.application(scope, _after(body, receive), send)

    async def _complete(self, receive: Receive, limit: int, announced: int) -> bytes:
        """Return the whole body. Raises `Refused` or `Gone`."""
        if announced > limit:
            raise Refused(TOO_LARGE)
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS + announced / SLOWEST_BYTES_PER_SECOND):
                is_more = True
                while is_more:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise Gone
                    is_more = message.get("more_body", False)
                    self._hold(body, message.get("body", b""), limit)
        except TimeoutError:
            raise Refused(TIMEOUT) from None
        finally:
            self.held_bytes -= len(body)
        return bytes(body)

    def _hold(self, body: bytearray, piece: bytes, limit: int) -> None:
        body += piece
        self.held_bytes += len(piece)
        if len(body) > limit:
            raise Refused(TOO_LARGE)
        if self.held_bytes > MAX_HELD_BYTES:
            raise Refused(UNAVAILABLE)


def _limit_of(path: str) -> int:
    """Return the maximum size of a body sent to `path`, in bytes."""
    return next((limit for beginning, limit in LIMITS.items() if path.startswith(beginning)), LIMITS["/"])


def _after(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that first returns the whole body, and then the later messages of `receive`."""
    is_sent = False

    async def next_message() -> Message:
        nonlocal is_sent
        if is_sent:
            return await receive()
        is_sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return next_message


async def _drain(receive: Receive) -> None:
    """Continue to read for a moment: a sender that is still sending would be cut off before the answer."""
    drained, is_more = 0, True
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while is_more and drained < DRAINED_BYTES:
                message = await receive()
                drained += len(message.get("body", b""))
                is_more = message.get("more_body", False)
    except TimeoutError:
        return


async def _answer(send: Send, status: int, *, is_json: bool) -> None:
    words = WORDS[status]
    body = json.dumps({"error": words}).encode() if is_json else f"{words}\n".encode()
    headers = [
        (b"content-type", b"application/json" if is_json else b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    if status == UNAVAILABLE:
        headers.append((b"retry-after", b"5"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
