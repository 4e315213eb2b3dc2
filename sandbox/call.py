"""The state of a call in progress that is not in its row."""

import asyncio
import time
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from sandbox.callbacks import CallbackQueue
from sandbox.routines import Command

OVER = ("finished", "failed")


@dataclass
class ReceivedRoutine:
    """A routine that Sift received. `how`: set, callback, done or incoming; times in seconds since 1970."""

    routine: list[Command]
    how: str
    at: float = field(default_factory=time.time)
    started_at: float | None = None


@dataclass
class Call:
    """A call does one thing at a time: it rings, runs a routine, or idles.

    `made_by` is create, dial, incoming, or traffic for a call without a request. `status` is the last value
    read from its row. `keyed` and `speech` are input for the next command that listens.
    """

    index: int
    connection_id: str
    made_by: str
    status: str
    callbacks: CallbackQueue
    status_url: str | None = None
    received: list[ReceivedRoutine] = field(default_factory=list)
    waiting: ReceivedRoutine | None = None
    running: str | None = None
    dialled: list[str] = field(default_factory=list)
    keyed: str = ""
    speech: deque[dict[str, Any]] = field(default_factory=deque)
    input_arrived: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    doing: asyncio.Task[None] | None = None

    def do(self, what: Coroutine[Any, Any, None]) -> None:
        """Stop the current activity and start this one."""
        self.stop()
        self.doing = asyncio.create_task(what)

    def stop(self) -> None:
        """Stop the current activity, if any."""
        self.running = None
        if self.doing:
            self.doing.cancel()
            self.doing = None

    def details(self) -> dict[str, Any]:
        """Return what the interface for tests shows in addition to the row."""
        return {
            "made_by": self.made_by,
            "running": self.running,
            "routines": [vars(received) for received in self.received],
            "dialled": self.dialled,
        }
