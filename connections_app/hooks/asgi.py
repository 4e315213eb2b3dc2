"""Callbacks as the web process takes them: before Django's own handler, a few at a time.

Django keeps a thread for each request, and each waits five seconds at the most for a connection to the
database: of 2,000 at once some would be turned away, and people's pages would wait with them. Nor does a
callback need what a page does: without it, one takes a third of this process's time.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection as database

from connections_app.addresses import TOKEN
from connections_app.hooks.receiving import LARGEST_BODY, Answered, Received
from connections_app.hooks.taking import ANSWERS, take

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]

ADDRESS = re.compile(f"/hooks/sift/({'|'.join(ANSWERS)})/({TOKEN})/")
# Fewer than there are connections to the database, so that a burst leaves some for people.
AT_ONCE = 8


class Callbacks:
    """ASGI: answers what is posted to a callback's address, and leaves the rest to `application`."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.threads = ThreadPoolExecutor(AT_ONCE, "callbacks")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        is_post = scope["type"] == "http" and scope["method"] == "POST"
        address = ADDRESS.fullmatch(scope["path"]) if is_post else None
        if address is None:
            await self.application(scope, receive, send)
        elif (body := await _body(receive)) is not None:
            await self._answer(address[1], Received(address[2], body), receive, send)

    async def _answer(self, kind: str, received: Received, receive: Receive, send: Send) -> None:
        """Who has gone away before it is their turn is not heard: a script would never reach them."""
        answer = asyncio.get_running_loop().run_in_executor(self.threads, _take, kind, received)
        gone = asyncio.ensure_future(receive())
        either: set[asyncio.Future[Any]] = {answer, gone}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        if answer.done():
            await _send(send, answer.result())
        else:
            answer.cancel()


def _take(kind: str, received: Received) -> Answered:
    try:
        return take(kind, received)
    finally:
        database.close()


async def _body(receive: Receive) -> bytes | None:
    """The body; of one that is too large, as much as shows that. None where the other side goes away."""
    body, is_more = bytearray(), True
    while is_more and len(body) <= LARGEST_BODY:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        is_more = message.get("more_body", False)
    return bytes(body)


async def _send(send: Send, answered: Answered) -> None:
    body = json.dumps(answered.body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": answered.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
