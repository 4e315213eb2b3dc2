"""The load of the live bench: calls that change, as Sift's status callbacks say so."""

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

# Changes a second, and calls in progress.
RATE, BOARD = 20, 100
Change = tuple[str, str]


def changes(calls: Sequence[str]) -> Iterator[Change]:
    """What happens to `calls`, one thing at a time: BOARD of them begin and most connect; from then on one
    begins, one connects and one finishes in turns."""
    come_to: dict[str, deque[str]] = dict(zip(LIFE, (deque(calls), deque(), deque()), strict=True))
    after = dict(pairwise(LIFE))
    first = chain(repeat("connecting", BOARD), repeat("connected", 2 * BOARD // 3))
    for status in chain(first, cycle(LIFE)):
        call = come_to[status].popleft()
        if status in after:
            come_to[after[status]].append(call)
        yield call, status


@dataclass
class Sift:
    """It calls back about placed calls: `paths` are the addresses by call."""

    paths: dict[str, str]
    happening: Iterator[Change] = field(init=False)
    began: dict[str, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.happening = changes(list(self.paths))

    @classmethod
    def with_calls_for(cls, seconds: float) -> Self:
        """Enough placed calls for so many seconds of changes; some more, since they come by chance."""
        return cls(place(BOARD + int(seconds * RATE / len(LIFE) * 1.2) + 20, "live"))

    async def fill_the_board(self, port: int) -> None:
        for _ in range(BOARD + 2 * BOARD // 3):
            await self._call_back(port, *next(self.happening))

    async def call_back(self, port: int, seconds: float) -> dict[Change, float]:
        """Tell of changes for so long, whether or not the last ones were answered; when each was sent."""
        moments, sent = random.Random(RATE), {}  # noqa: S311 - the same moments each time
        due = time.monotonic()
        end = due + seconds
        async with asyncio.TaskGroup() as callbacks:
            while (due := due + moments.expovariate(RATE)) < end:
                await asyncio.sleep(due - time.monotonic())
                change = next(self.happening)
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
