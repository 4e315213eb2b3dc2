"""`/events/`: Server-Sent Events, which the web process sends before Django's own handler.

Django keeps a thread for each open request; here an open stream is two small tasks, without a thread or a
database connection.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from http import HTTPStatus
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.db import OperationalError

from connections_app.engines.database import is_refused
from connections_app.engines.limits import TimeLimit, limited
from connections_app.live import visitors
from connections_app.live.board_reader import Kind
from connections_app.live.broadcaster import DATABASE_AWAY, Broadcaster
from connections_app.live.compression import Encoding, Gzip, Piece, Plain
from connections_app.live.feed import event_piece
from connections_app.live.hub import STUCK, Hub, Stream
from connections_app.live.visitors import Visitor

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]

PATH = "/events/"
PART_BYTES = 32 * 1024  # given to the web server at a time, after the reader received the part before
LOOKUP_SECONDS = 1.0  # to find the visitor in the database
# Accepted with any weight except zero.
GZIP = re.compile(rb"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))")
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"vary", b"Accept-Encoding, Cookie"),
    # Otherwise proxies such as nginx buffer events.
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]


class Events:
    """ASGI: answers `/events/`, and passes other requests to `application`."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.hub = Hub()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            await self.application(scope, receive, send)
        elif scope["method"] not in ("GET", "HEAD"):
            await _answer(send, HTTPStatus.METHOD_NOT_ALLOWED, (b"allow", b"GET, HEAD"))
        else:
            visitor = await self._admit(scope, send)
            if visitor and scope["method"] == "HEAD":
                await _answer(send, HTTPStatus.OK)
            elif visitor:
                await self._stream(visitor, scope, receive, send)

    async def _admit(self, scope: Message, send: Send) -> Visitor | None:
        """Return the visitor, or None after answering why they may not watch."""
        try:
            found = await self._look_up(scope)
        except SuspiciousOperation:
            await _answer(send, HTTPStatus.BAD_REQUEST)
        except DATABASE_AWAY:
            await _answer(send, HTTPStatus.SERVICE_UNAVAILABLE, (b"retry-after", b"1"))
        else:
            if found is None:
                await _answer(send, HTTPStatus.UNAUTHORIZED)
            return found
        return None

    async def _look_up(self, scope: Message) -> Visitor | None:
        """Return the visitor; None if they may not watch. Raises `DisallowedHost` or one of `DATABASE_AWAY`,
        the latter at once if the database is known not to answer."""
        if is_refused():
            raise OperationalError
        limit = TimeLimit(LOOKUP_SECONDS)
        return await self.hub.look_up_visitor(partial(_visitor_within, limit), dict(scope))

    async def _stream(self, visitor: Visitor, scope: Message, receive: Receive, send: Send) -> None:
        stream, broadcaster = self.hub.join(visitor)
        disconnect = asyncio.create_task(_wait_for_disconnect(receive))
        disconnect.add_done_callback(lambda _: stream.task.cancel())
        response = Response(stream, send, Gzip() if _accepts_gzip(scope) else Plain())
        try:
            await response.begin()
            await _follow(broadcaster, visitor.kind, response)
        except asyncio.CancelledError:
            # The reader left or was dropped, the stream was ended, or the process is stopping.
            if stream.why != STUCK:
                await response.end(event_piece("bye", f'"why":"{stream.why}"') if stream.why else Piece())
        finally:
            self.hub.leave(stream)
            disconnect.cancel()


class Response:
    """The response of one stream, in the encoding that its reader accepts."""

    def __init__(self, stream: Stream, send: Send, encoding: Encoding) -> None:
        self.stream, self.send, self.encoding = stream, send, encoding

    async def begin(self) -> None:
        """Send the status and the headers."""
        headers = [*HEADERS, *self.encoding.headers]
        await self.send({"type": "http.response.start", "status": HTTPStatus.OK.value, "headers": headers})

    async def write(self, piece: Piece) -> None:
        """Send `piece`, after the reader has received what came before it."""
        encoded = self.encoding.encode(piece)
        for start in range(0, len(encoded), PART_BYTES):
            self.stream.waits_since = asyncio.get_running_loop().time()
            part = encoded[start : start + PART_BYTES]
            await self.send({"type": "http.response.body", "body": part, "more_body": True})
        self.stream.waits_since = None

    async def end(self, goodbye: Piece) -> None:
        """Send `goodbye`, and end the response."""
        encoded = self.encoding.encode(goodbye) + self.encoding.end()
        await self.send({"type": "http.response.body", "body": encoded, "more_body": False})


async def _follow(broadcaster: Broadcaster, kind: Kind, response: Response) -> None:
    """Send the whole board, then each event; send the whole board again if the reader fell behind."""
    while True:
        position = broadcaster.feed.head
        whole = await broadcaster.snapshot(kind)
        number = whole.number
        await response.write(whole.sent[kind])
        del whole  # As large as the board: a stream that waits must not keep it.
        while (events := broadcaster.feed.since(position)) is not None:
            position += len(events)
            for event in events:
                if kind in event.sent and (not event.number or event.number > number):
                    await response.write(event.sent[kind])
            await broadcaster.feed.more(position)


def _visitor_within(limit: TimeLimit, scope: dict[str, Any]) -> Visitor | None:
    with limited(limit):
        return visitors.visitor(scope)


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _accepts_gzip(scope: Message) -> bool:
    return any(name == b"accept-encoding" and GZIP.search(value) for name, value in scope["headers"])


async def _answer(send: Send, status: HTTPStatus, *headers: tuple[bytes, bytes]) -> None:
    encoded = f"{status.phrase}.\n".encode()
    own = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(encoded)).encode())]
    await send({"type": "http.response.start", "status": status.value, "headers": [*own, *headers]})
    await send({"type": "http.response.body", "body": encoded})
