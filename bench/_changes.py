"""The load of the live bench: calls that change, reported by status callbacks as Sift sends them."""

import asyncio
import json
import random
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, cycle, pairwise, repeat
from typing import Self

from bench._watching import LIFE
from bench.callbacks import place

CHANGES_A_SECOND, CALLS_IN_PROGRESS = 20, 100
Change = tuple[str, str]


def changes(calls: Sequence[str]) -> Iterator[Change]:
    """Yield changes of `calls`: CALLS_IN_PROGRESS of them begin and most connect, then one begins, one
    connects and one finishes in turns."""
    waiting: dict[str, deque[str]] = dict(zip(LIFE, (deque(calls), deque(), deque()), strict=True))
    after = dict(pairwise(LIFE))
    first = chain(repeat("connecting", CALLS_IN_PROGRESS), repeat("connected", 2 * CALLS_IN_PROGRESS // 3))
    for status in chain(first, cycle(LIFE)):
        call = waiting[status].popleft()
        if status in after:
            waiting[after[status]].append(call)
        yield call, status


@dataclass
class Sift:
    """Sends callbacks about placed calls; `paths` has the URL path of each call."""

    paths: dict[str, str]
    changes_to_send: Iterator[Change] = field(init=False)
    began: dict[str, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.changes_to_send = changes(list(self.paths))

    @classmethod
    def with_calls_for(cls, seconds: float) -> Self:
        """Place enough calls for `seconds` of changes, with a margin, since their number is random."""
        return cls(place(CALLS_IN_PROGRESS + int(seconds * CHANGES_A_SECOND / len(LIFE) * 1.2) + 20, "live"))

    async def fill_the_board(self, port: int) -> None:
        """Send the callbacks that begin and connect the first calls."""
        for _ in range(CALLS_IN_PROGRESS + 2 * CALLS_IN_PROGRESS // 3):
            await self._call_back(port, *next(self.changes_to_send))

    async def call_back(self, port: int, seconds: float) -> dict[Change, float]:
        """Send changes for `seconds` without waiting for answers. Returns when each was sent (monotonic)."""
        moments, sent = random.Random(CHANGES_A_SECOND), {}  # noqa: S311 - the same moments in each run
        due = time.monotonic()
        end = due + seconds
        async with asyncio.TaskGroup() as callbacks:
            while (due := due + moments.expovariate(CHANGES_A_SECOND)) < end:
                await asyncio.sleep(due - time.monotonic())
                change = next(self.changes_to_send)
                sent[change] = time.monotonic()
                callbacks.create_task(self._call_back(port, *change))
        return sent

    async def _call_back(self, port: int, call: str, status: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        body = self._body(call, status)
        head = f"POST {self.paths[call]} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        answered = await reader.read()
        assert answered.startswith(b"HTTP/1.1 200 "), answered
        writer.close()

    def _body(self, call: str, status: str) -> bytes:
        now = datetime.now(UTC)
        connection = {
            "connection_id": call,
            "status": status,
            "direction": "incoming",
            "start_time": _written(self.began.setdefault(call, now)),
            "from": "+14155550100",
            "to": "+14155550142",
            "client_data": {"customer": 4711, "campaign": "spring"},
        }
        if status == "finished":
            connection["end_time"] = _written(now)
        return json.dumps({"account_id": "bench", "connection": connection}).encode()


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
