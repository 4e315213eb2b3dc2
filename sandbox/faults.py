"""Faults of Sift, or of the network between it and the application, that a test switches on."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.calls import World
from sandbox.http import Answer, error

KINDS = frozenset(
    [
        "status",
        "slow",
        "cut",
        "wrong_json",
        "not_a_page",
        "redirect",
        "foreign_next",
        "broken_rows",
        "grow",
        "refuse_cursor",
        "endless_body",
        "never",
        "empty",
        "status_after",
        "slow_after",
        "twice",
        "shuffled",
        "late",
        "lost",
    ]
)
ON = ("any", "list", "retrieve", "create", "routine", "callback")
# Faults of a page of the list only.
OF_A_PAGE = frozenset(["foreign_next", "broken_rows", "grow"])
# Faults of the sandbox's own requests only, and the kinds of these requests.
OF_A_CALLBACK = frozenset(["twice", "shuffled", "late", "lost"])
OF = ("any", "connecting", "connected", "failed", "finished", "done", "incoming")
BROKEN_ROWS = (
    b"7",
    b'"a text"',
    b"null",
    b"[]",
    b'{"status": "finished"}',
    b'{"connection_id": 12, "status": "finished"}',
    b'{"connection_id": "", "status": "finished"}',
    b'{"connection_id": "broken-%d", "status": "ringing"}',
    b'{"connection_id": "broken/%d", "status": "finished"}',
    b'{"connection_id": "broken-%d", "status": null}',
)
RESULTS = b'"results": ['
ODD_ROWS = (
    rb'{"connection_id": "odd-1", "status": "finished", "from": "a\u0000b", "client_data": {"\ud800": 1}}',
    rb'{"connection_id": "odd-2", "status": "finished", "start_time": "0000-00-00T00:00:00Z", "to": 7}',
    rb'{"connection_id": "odd-3", "status": "finished", "start_time": "99999-01-01", "client_data": 1e400}',
    rb'{"connection_id": "odd-4", "status": "finished", "direction": {"a": []}, "end_time": -1}',
)


@dataclass
class Fault:
    """Applies to the next `times` matching requests (None: to all), after the first `skip` of them."""

    kind: str
    times: int | None = None
    skip: int = 0
    on: str = "any"
    of: str = "any"
    status: int = 500
    words: str | None = None
    retry_after: float | None = None
    seconds: float = 5.0
    url: str = "https://elsewhere.example/v0/connections?cursor=x"
    location: str = "https://elsewhere.example/v0/connections"
    count: int = len(BROKEN_ROWS)
    per_page: int = 5

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}; one of {', '.join(sorted(KINDS))}")
        if self.on not in ON:
            raise ValueError(f"no fault can be on {self.on!r}; one of {', '.join(ON)}")
        if self.of not in OF:
            raise ValueError(f"no callback is of {self.of!r}; one of {', '.join(OF)}")
        if self.kind in OF_A_CALLBACK and self.on == "any":
            self.on = "callback"
        if (self.kind in OF_A_CALLBACK) != (self.on == "callback"):
            raise ValueError(f"{self.kind!r} cannot be on {self.on!r}")

    def use(self, operation: str, has_cursor: bool) -> bool:
        """Return True if the fault applies to this request, and count it as used."""
        if not self.matches(operation, has_cursor) or self.times == 0:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def matches(self, operation: str, has_cursor: bool) -> bool:
        """Return True if the fault is meant for such a request."""
        if self.kind == "refuse_cursor" and not has_cursor:
            return False
        return self.on in ("any", operation) and (operation == "list" or self.kind not in OF_A_PAGE)


async def apply_faults(
    faults: list[Fault], operation: str, has_cursor: bool, world: World, serve: Callable[[], Answer]
) -> Answer:
    """Return the answer of `serve`, changed or replaced by the faults that apply."""
    applied = [fault for fault in faults if fault.use(operation, has_cursor)]
    await _sleep(applied, "slow")
    for fault in applied:
        if replacement := _replacement(fault):
            return replacement
    reply = serve()
    for fault in applied:
        if reply.status == 200:
            _change(fault, reply, world)
    await _sleep(applied, "slow_after")
    return reply


async def _sleep(applied: list[Fault], kind: str) -> None:
    for fault in applied:
        if fault.kind == kind:
            await asyncio.sleep(fault.seconds)


def _replacement(fault: Fault) -> Answer | None:
    match fault.kind:
        case "status":
            return _refusal(fault)
        case "wrong_json":
            return Answer(200, b"<html>It works!</html>")
        case "not_a_page":
            return Answer(200, b'{"results": "none"}')
        case "redirect":
            return Answer(302, b"", {"location": fault.location})
        case "refuse_cursor":
            return error(404, "Invalid cursor")
        case "endless_body":
            return Answer(200, b"", endless=True)
    return None


def _refusal(fault: Fault) -> Answer:
    wait = {} if fault.retry_after is None else {"retry_after": f"{fault.retry_after:g}"}
    return error(fault.status, fault.words or f"A fault of the sandbox: {fault.status}.", **wait)


def _change(fault: Fault, reply: Answer, world: World) -> None:
    match fault.kind:
        case "cut":
            reply.cut = True
        case "never":
            reply.never = True
        case "empty":
            reply.body = b""
        case "status_after":
            refusal = _refusal(fault)
            reply.status, reply.body, reply.headers = refusal.status, refusal.body, refusal.headers
        case "foreign_next":
            page: Any = json.loads(reply.body)
            reply.body = json.dumps(page | {"next": fault.url}).encode()
        case "broken_rows":
            broken = [BROKEN_ROWS[n % len(BROKEN_ROWS)].replace(b"%d", b"%d" % n) for n in range(fault.count)]
            rows = b",".join((*broken, *ODD_ROWS))
            before, good = reply.body.split(RESULTS, 1)
            reply.body = before + RESULTS + rows + (good if good.startswith(b"]") else b"," + good)
        case "grow":
            for _ in range(fault.per_page):
                world.add(world.new_row())
