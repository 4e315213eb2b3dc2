"""Answer callbacks in the web process, before Django's own handler and a few at a time.

Django uses one thread per request, and each waits some seconds at the most for a connection to the database:
of 2,000 callbacks at once some would fail, and people's pages would wait too. A callback does not need the
middleware that a page needs: without it, one takes a third of this process's time.

Every callback has a time limit: the database may take less than a second, and a callback waits for its turn
only while others are answered. After that it is answered 503, and its changes are rolled back.
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
from connections_app.hooks.dispatch import ANSWERS, TRY_LATER, answer_callback
from connections_app.hooks.received import UNAVAILABLE, Answered, Received
from connections_app.web.callback_urls import TOKEN

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]

ADDRESS = re.compile(f"/hooks/sift/({'|'.join(ANSWERS)})/({TOKEN})/?")
# Each uses a reserved connection to the database, so that pages and callbacks do not block each other.
MAX_CONCURRENT = 8
OK = 200
DATABASE_SECONDS = 0.75  # for one callback, from when its turn comes
STALL_SECONDS = 0.9  # without any answer; then the callbacks that wait for their turn are refused


class Callbacks:
    """ASGI middleware that answers POSTs to callback addresses, and leaves the rest to `application`.

    The body must come as one message (`Bodies`).
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
        """Answer within a second, or for as long as others are answered. If the client disconnects before its
        turn, its callback is dropped; a script that was not sent counts as undelivered."""
        limit = TimeLimit()
        work = self.threads.submit(_answer_in_thread, kind, received, limit)
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
        """Wait for the answer while any callback is answered. Returns True if it came."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while (seconds := max(began, self.answered_at) + STALL_SECONDS - loop.time()) > 0:
            either: set[asyncio.Future[Any]] = {answer, gone}
            await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if answer.done() and answer.result().status != UNAVAILABLE:
                self.answered_at = loop.time()
            if answer.done() or gone.done():
                break
        return answer.done()


def _answer_in_thread(kind: str, received: Received, limit: TimeLimit) -> Answered:
    limit.start(DATABASE_SECONDS)
    with limited(limit, reserved=True):
        try:
            return answer_callback(kind, received)
        finally:
            database.close()


def _count_undelivered(late: "Future[Answered]", received: Received) -> None:
    """Count the script of an answer that came too late as undelivered."""
    if not late.exception() and late.result().status == OK and received.claimed.script is not None:
        undelivered.note(received)


async def _send(send: Send, answered: Answered) -> None:
    body = json.dumps(answered.body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers += [(name.lower().encode(), value.encode()) for name, value in answered.headers.items()]
    await send({"type": "http.response.start", "status": answered.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
