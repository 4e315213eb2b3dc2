"""Sift's own requests about calls: those of one call go out one after the other, and all are in a log."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.faults import OF_A_CALLBACK, Fault
from sandbox.outgoing import post
from sandbox.routines import Command, check

LOG_LENGTH = 100_000


@dataclass
class Callback:
    """`kind` is the status that it tells of, `done` or `incoming`; `take` gets a routine that is answered.

    `settled` is set once nobody need wait for it any longer: it was answered, or a fault keeps it from that.
    """

    connection_id: str
    kind: str
    url: str
    body: dict[str, Any]
    take: Callable[[list[Command]], None]
    settled: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_last(self) -> bool:
        return self.kind in ("finished", "failed")


class Callbacks:
    """Sends callbacks and keeps their log."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self.sent = 0

    def since(self, number: int) -> list[dict[str, Any]]:
        return [entry for entry in self.log if entry["number"] > number]

    def hitting(self, callback: Callback, may_hold: bool) -> dict[str, Fault]:
        """The faults that this callback meets, by kind; counts them down."""
        return {
            fault.kind: fault
            for fault in self.faults
            if fault.kind in OF_A_CALLBACK
            and (may_hold or fault.kind != "shuffled")
            and fault.of in ("any", callback.kind)
            and fault.strikes("callback", has_cursor=False)
        }

    async def send(self, callback: Callback) -> None:
        """Send it, hand on the routine that is answered, and log how it went."""
        at, began = time.time(), time.monotonic()
        status, answered, problem = None, None, None
        try:
            reply = await post(callback.url, json.dumps(callback.body).encode())
            status, answered = reply.status, reply.body.decode(errors="replace")
            if status == 200:
                _take(callback, answered)
        except (OSError, ValueError) as caught:
            problem = str(caught) or type(caught).__name__
        self.sent += 1
        self.log.append(
            {
                "number": self.sent,
                "at": at,
                "connection_id": callback.connection_id,
                "kind": callback.kind,
                "url": callback.url,
                "body": callback.body,
                "status": status,
                "answer": answered,
                "error": problem,
                "seconds": round(time.monotonic() - began, 4),
            }
        )


class Line:
    """The callbacks of one call, in order unless a fault shuffles them."""

    def __init__(self, callbacks: Callbacks) -> None:
        self.callbacks = callbacks
        self.waiting: deque[Callback] = deque()
        self.held: Callback | None = None
        self.task: asyncio.Task[None] | None = None

    def put(self, callback: Callback) -> None:
        self.waiting.append(callback)
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self._send_all())

    async def _send_all(self) -> None:
        while self.waiting:
            await self._send(self.waiting.popleft())

    async def _send(self, callback: Callback) -> None:
        hit = self.callbacks.hitting(callback, may_hold=not (self.held or callback.is_last))
        if hit.keys() - {"twice"}:
            callback.settled.set()
        if "late" in hit:
            await asyncio.sleep(hit["late"].seconds)
        if "shuffled" in hit:
            self.held = callback
            return
        if "lost" not in hit:
            for _ in range(2 if "twice" in hit else 1):
                await self.callbacks.send(callback)
        callback.settled.set()
        if self.held and ("lost" not in hit or callback.is_last):
            held, self.held = self.held, None
            await self.callbacks.send(held)


def _take(callback: Callback, answered: str) -> None:
    """Raises ValueError for an answer that is no JSON, or whose routine Sift would not take."""
    said = json.loads(answered or "null")
    routine = said.get("routine") if isinstance(said, dict) else None
    if routine:
        callback.take(check(routine))
