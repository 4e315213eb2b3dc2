"""One call under way, as the sandbox knows it beyond its row."""

import asyncio
import time
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from sandbox.callbacks import Line
from sandbox.routines import Command

OVER = ("finished", "failed")


@dataclass
class Handed:
    """A routine that reached Sift. `how`: set, callback, done or incoming; times in seconds since 1970."""

    routine: list[Command]
    how: str
    at: float = field(default_factory=time.time)
    started_at: float | None = None


@dataclass
class Call:
    """A call does one thing at a time: it rings, runs a routine, or idles.

    `made_by` is create, dial, incoming, or traffic for one that came about without a request. `status` is the
    last that was noticed in its row. `keyed` and `said` wait for a command that listens.
    """

    index: int
    connection_id: str
    made_by: str
    status: str
    line: Line
    status_url: str | None = None
    handed: list[Handed] = field(default_factory=list)
    waiting: Handed | None = None
    running: str | None = None
    dialled: list[str] = field(default_factory=list)
    keyed: str = ""
    said: deque[dict[str, Any]] = field(default_factory=deque)
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    doing: asyncio.Task[None] | None = None

    def do(self, what: Coroutine[Any, Any, None]) -> None:
        """Do this from now on, and no longer what was done before."""
        self.stop()
        self.doing = asyncio.create_task(what)

    def stop(self) -> None:
        self.running = None
        if self.doing:
            self.doing.cancel()
            self.doing = None

    def told(self) -> dict[str, Any]:
        """What the test face shows beside the row."""
        return {
            "made_by": self.made_by,
            "running": self.running,
            "routines": [vars(handed) for handed in self.handed],
            "dialled": self.dialled,
        }
