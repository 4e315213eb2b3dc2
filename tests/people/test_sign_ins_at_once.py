"""Sign-ins wait for their turn before Django has a thread for them, and are refused where that takes long."""

import asyncio
from typing import Any
from unittest.mock import patch

from connections_app.people import hashing
from connections_app.people.sign_ins import MAX_CONCURRENT, SignIns
from sift_dashboard.body_limits import LIMITS, Bodies
from tests.conftest import in_a_loop

SCOPE = {
    "type": "http",
    "method": "POST",
    "path": "/accounts/login/",
    "headers": [(b"transfer-encoding", b"chunked")],
}


class Web:
    """A web process whose sign-ins end when `may_end` is set; `begun` have come to Django."""

    def __init__(self) -> None:
        self.begun, self.may_end = 0, asyncio.Event()
        self.sign_ins = Bodies(SignIns(self.django))

    async def django(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while (message := await receive()).get("more_body"):
            body += message["body"]
        assert body + message["body"] == b"username=ana"
        self.begun += 1
        await self.may_end.wait()
        await send({"type": "http.response.start", "status": 302, "headers": []})

    async def sign_in(self, *parts: bytes, is_whole: bool = True) -> tuple[int, dict[bytes, bytes]]:
        """Send the parts of a form, and the end where it `is_whole`; the status and headers of the answer."""
        messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
        messages[-1]["more_body"] = not is_whole
        sent: list[Any] = []

        async def receive() -> Any:
            return messages.pop(0) if messages else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        await self.sign_ins(SCOPE, receive, send)
        return sent[0]["status"], dict(sent[0]["headers"])


def test_a_sign_in_that_waits_too_long_for_a_turn_is_refused_with_when_to_try_again() -> None:
    async def all_at_once() -> None:
        web = Web()
        first = [asyncio.create_task(web.sign_in(b"username=", b"ana")) for _ in range(MAX_CONCURRENT)]
        while web.begun < MAX_CONCURRENT:
            await asyncio.sleep(0)
        with patch.object(hashing, "WAIT_SECONDS", 0.01):
            status, headers = await web.sign_in(b"username=ana")
        assert (status, headers[b"retry-after"], web.begun) == (503, b"5", MAX_CONCURRENT)
        assert b"default-src 'none'" in headers[b"content-security-policy"]
        web.may_end.set()
        assert {status for status, _ in await asyncio.gather(*first)} == {302}
        assert (await web.sign_in(b"username=ana"))[0] == 302

    in_a_loop(all_at_once())


def test_a_form_that_is_sent_by_half_takes_no_turn() -> None:
    async def all_at_once() -> None:
        web = Web()
        web.may_end.set()
        halves = [asyncio.create_task(web.sign_in(b"username=", is_whole=False)) for _ in range(20)]
        await asyncio.sleep(0)
        assert (await web.sign_in(b"username=ana"))[0] == 302
        for half in halves:
            half.cancel()

    in_a_loop(all_at_once())


def test_a_form_that_is_too_large_is_refused() -> None:
    status, _ = in_a_loop(Web().sign_in(b"x" * LIMITS[SCOPE["path"]], b"x"))
    assert status == 413
