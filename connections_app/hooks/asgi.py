"""Callbacks as the web process takes them: before Django's own handler, a few at a time.

Django keeps a thread for each request, and each waits some seconds at the most for a connection to the
database: of 2,000 at once some would be turned away, and people's pages would wait with them. Nor does a
callback need what a page does: without it, one takes a third of this process's time.

Each has its time: the database may take less than a second, and a callback waits for its turn only while
others are answered. One whose time is up is answered 503, and what it did is rolled back.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from django.db import connection as database

from connections_app.engines.limits import TimeLimit, limited
from connections_app.hooks import undelivered
from connections_app.hooks.dispatch import ANSWERS, TRY_LATER, take
from connections_app.hooks.received import UNAVAILABLE, Answered, Received
from connections_app.web.callback_urls import TOKEN

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]

ADDRESS = re.compile(f"/hooks/sift/({'|'.join(ANSWERS)})/({TOKEN})/?")
# Each has a connection of those that are reserved, so that pages and callbacks leave each other theirs.
MAX_CONCURRENT = 8
OK = 200
DATABASE_SECONDS = 0.75  # for one callback, from when its turn comes
MOVING_SECONDS = 0.9  # no callback was answered for so long: those that wait for their turn are refused


class Callbacks:
    """ASGI: answers what is posted to a callback's address, and leaves the rest to `application`.

    The body comes as one message (`Bodies`).
    """

    def __init__(self, application: Application) -> None:
        self.application = application
        self.threads = ThreadPoolExecutor(MAX_CONCURRENT, "callbacks")
        self.answered_at = float("-inf")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        is_post = scope["type"] == "http" and scope["method"] == "POST"
        address = ADDRESS.fullmatch(scope["path"]) if is_post else None
        if address is None:
            await self.application(scope, receive, send)
            return
        message = await receive()
        if message["type"] == "http.request":
            await self._answer(address[1], Received(address[2], message.get("body", b"")), receive, send)

    async def _answer(self, kind: str, received: Received, receive: Receive, send: Send) -> None:
        """Answer within a second, or while others are answered. Who has gone away before it is their turn is
        not heard, and a script that nobody was handed counts as undelivered."""
        limit = TimeLimit()
        work = self.threads.submit(_take, kind, received, limit)
        gone = asyncio.ensure_future(receive())
        try:
            is_done = await self._wait(asyncio.wrap_future(work), gone)
        finally:
            gone.cancel()
        if is_done and not gone.done():
            await _send(send, work.result())
            return
        if not work.cancel():
            if not gone.done():
                limit.end_now()
            work.add_done_callback(lambda late: _count_undelivered(late, received))
        if not gone.done():
            await _send(send, TRY_LATER)

    async def _wait(self, answer: "asyncio.Future[Answered]", gone: "asyncio.Future[Message]") -> bool:
        """Wait for the answer, for as long as callbacks are answered at all. Returns True if it is there."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while (seconds := max(began, self.answered_at) + MOVING_SECONDS - loop.time()) > 0:
            either: set[asyncio.Future[Any]] = {answer, gone}
            await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if answer.done() and answer.result().status != UNAVAILABLE:
                self.answered_at = loop.time()
            if answer.done() or gone.done():
                break
        return answer.done()


def _take(kind: str, received: Received, limit: TimeLimit) -> Answered:
    limit.start(DATABASE_SECONDS)
    with limited(limit, reserved=True):
        try:
            return take(kind, received)
        finally:
            database.close()


def _count_undelivered(late: "Future[Answered]", received: Received) -> None:
    """Count the script of an answer as undelivered that came when nobody waited for it any longer."""
    if not late.exception() and late.result().status == OK and received.claimed.script is not None:
        undelivered.note(received)


async def _send(send: Send, answered: Answered) -> None:
    body = json.dumps(answered.body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers += [(name.lower().encode(), value.encode()) for name, value in answered.headers.items()]
    await send({"type": "http.response.start", "status": answered.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
