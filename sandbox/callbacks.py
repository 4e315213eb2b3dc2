"""Sift's requests to the application: those of one call are sent one after the other, and all are logged."""

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
    """`kind` is the reported status, `done` or `incoming`; `on_routine` receives a routine in the answer.

    `settled` is set after the answer, or if a fault delays or loses the callback: then nothing waits for it.
    """

    connection_id: str
    kind: str
    url: str
    body: dict[str, Any]
    on_routine: Callable[[list[Command]], None]
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
        """Return the log entries after entry `number`."""
        return [entry for entry in self.log if entry["number"] > number]

    def faults_for(self, callback: Callback, may_hold: bool) -> dict[str, Fault]:
        """Return the faults that apply to this callback, by kind, and count each as used."""
        return {
            fault.kind: fault
            for fault in self.faults
            if fault.kind in OF_A_CALLBACK
            and (may_hold or fault.kind != "shuffled")
            and fault.of in ("any", callback.kind)
            and fault.use("callback", has_cursor=False)
        }

    async def send(self, callback: Callback) -> None:
        """Send it, pass on the routine in the answer, and log the result."""
        at, began = time.time(), time.monotonic()
        status, answered, problem = None, None, None
        try:
            reply = await post(callback.url, json.dumps(callback.body).encode())
            status, answered = reply.status, reply.body.decode(errors="replace")
            if status == 200:
                _pass_on_routine(callback, answered)
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


class CallbackQueue:
    """The callbacks of one call, in order unless a fault shuffles them."""

    def __init__(self, callbacks: Callbacks) -> None:
        self.callbacks = callbacks
        self.waiting: deque[Callback] = deque()
        self.held: Callback | None = None
        self.task: asyncio.Task[None] | None = None

    def put(self, callback: Callback) -> None:
        """Add a callback, and start sending unless that goes on already."""
        self.waiting.append(callback)
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self._send_all())

    async def _send_all(self) -> None:
        while self.waiting:
            await self._send(self.waiting.popleft())

    async def _send(self, callback: Callback) -> None:
        faults = self.callbacks.faults_for(callback, may_hold=not (self.held or callback.is_last))
        if faults.keys() - {"twice"}:
            callback.settled.set()
        if "late" in faults:
            await asyncio.sleep(faults["late"].seconds)
        if "shuffled" in faults:
            self.held = callback
            return
        if "lost" not in faults:
            for _ in range(2 if "twice" in faults else 1):
                await self.callbacks.send(callback)
        callback.settled.set()
        if self.held and ("lost" not in faults or callback.is_last):
            held, self.held = self.held, None
            await self.callbacks.send(held)


def _pass_on_routine(callback: Callback, answered: str) -> None:
    """Raises `ValueError` for an answer that is not JSON, or has a routine that Sift would not accept."""
    decoded = json.loads(answered or "null")
    routine = decoded.get("routine") if isinstance(decoded, dict) else None
    if routine:
        callback.on_routine(check(routine))
