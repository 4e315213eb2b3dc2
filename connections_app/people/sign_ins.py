"""Limit concurrent sign-ins in the web process, before Django's own handler.

Django has a thread for each request. A hundred threads that wait to hash a password block the event loop, and
so callbacks and pages, for seconds; sign-ins that wait here cost nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from typing import Any

from csp.utils import build_policy
from django.template.loader import render_to_string
from django.urls import reverse

from connections_app.people import hashing
from connections_app.people.middleware import RETRY_AFTER, UNAVAILABLE

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]

MAX_CONCURRENT = 2 * hashing.MAX_CONCURRENT  # some query or save while others hash


class SignIns:
    """ASGI: passes a few sign-ins at a time to `application`, and answers 503 to those that wait too long.

    `Bodies` has received their forms completely, so no turn waits for a slow sender.
    """

    def __init__(self, application: Application) -> None:
        self.application = application
        self.turns = asyncio.Semaphore(MAX_CONCURRENT)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        is_post = scope["type"] == "http" and scope["method"] == "POST"
        if not is_post or scope["path"] != reverse("login"):
            await self.application(scope, receive, send)
            return
        try:
            async with asyncio.timeout(hashing.WAIT_SECONDS):
                await self.turns.acquire()
        except TimeoutError:
            await _refuse(send)
            return
        try:
            await self.application(scope, receive, send)
        finally:
            self.turns.release()


@cache
def _busy_page() -> bytes:
    return render_to_string("busy.html", {"words": hashing.BUSY_MESSAGE}).encode()


async def _refuse(send: Send) -> None:
    body = _busy_page()
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"content-security-policy", build_policy().encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
        (b"retry-after", RETRY_AFTER.encode()),
    ]
    await send({"type": "http.response.start", "status": UNAVAILABLE, "headers": headers})
    await send({"type": "http.response.body", "body": body})
