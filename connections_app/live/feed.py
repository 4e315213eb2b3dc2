"""What a web process has to tell its streams: the last events, once for all of them.

A stream holds only how far it has read. One that falls behind the oldest event kept starts again from the
whole board, so that no reader, however slow, makes anything grow.
"""

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils import timezone

from connections_app.live.board_reader import Json, Kind
from connections_app.live.compression import Piece

KEPT = 200
# Of an event's data, and of the event.
END = "}\n\n"


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it is sent, by kind of stream; `number` is the change after which it was made."""

    number: int
    sent: Mapping[Kind, Piece]


class Feed:
    """Made and used on one event loop. `head` is the position after the newest event."""

    def __init__(self) -> None:
        self.head = 0
        self.events: deque[Event] = deque(maxlen=KEPT)
        self.woken = asyncio.Event()

    def tell(self, event: Event) -> None:
        self.events.append(event)
        self.head += 1
        self._wake()

    def start_over(self) -> None:
        """Forget everything: every stream has fallen behind."""
        self.head += len(self.events) + 1
        self.events.clear()
        self._wake()

    def since(self, position: int) -> list[Event] | None:
        """The events from `position` on; None where the first of them are no longer kept."""
        behind = self.head - position
        if behind > len(self.events):
            return None
        return [self.events[index] for index in range(len(self.events) - behind, len(self.events))]

    async def more(self, position: int) -> None:
        """Wait until there is an event at `position`."""
        while self.head <= position:
            await self.woken.wait()

    def _wake(self) -> None:
        self.woken.set()
        self.woken = asyncio.Event()


def written(name: str, body: Json) -> Piece:
    """An event as the stream carries it: its name, and a JSON object with the server's time and `body`."""
    return Piece.of(f"{_begun(name)},{body}{END}".encode())


def written_around(name: str, body: Json, large: Piece) -> Piece:
    """The same, with something large in the object that was packed before."""
    return Piece.of(f"{_begun(name)},{body},".encode()) + large + Piece.of(END.encode())


def _begun(name: str) -> str:
    return f'event: {name}\ndata: {{"now":{json.dumps(timezone.now().isoformat())}'
