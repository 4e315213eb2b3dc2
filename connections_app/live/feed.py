"""The last events of a web process, kept once for all of its streams.

A stream holds only its position. One that falls behind the oldest event kept starts again from the whole
board, so that a slow reader uses no memory.
"""

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils import timezone

from connections_app.live.board_reader import Json, Kind
from connections_app.live.compression import Piece

MAX_EVENTS = 200
END = "}\n\n"  # of an event's data, and of the event


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it is sent, by kind of stream; `number` is the change after which it was made."""

    number: int
    sent: Mapping[Kind, Piece]


class Feed:
    """The last events, on one event loop. `head` is the position after the newest event."""

    def __init__(self) -> None:
        self.head = 0
        self.events: deque[Event] = deque(maxlen=MAX_EVENTS)
        self.woken = asyncio.Event()

    def publish(self, event: Event) -> None:
        """Add `event`, and wake the streams that wait for one."""
        self.events.append(event)
        self.head += 1
        self._wake()

    def start_over(self) -> None:
        """Discard all events, so that every stream has fallen behind."""
        self.head += len(self.events) + 1
        self.events.clear()
        self._wake()

    def since(self, position: int) -> list[Event] | None:
        """Return the events from `position` on; None if the first of them are no longer kept."""
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


def event_piece(name: str, body: Json) -> Piece:
    """Return event `name` as it is sent, with a JSON object of the server's time and `body`."""
    return Piece.of(f"{_opening(name)},{body}{END}".encode())


def event_piece_around(name: str, body: Json, large: Piece) -> Piece:
    """Return the same, with `large`, which is compressed already, at the end of the object."""
    return Piece.of(f"{_opening(name)},{body},".encode()) + large + Piece.of(END.encode())


def _opening(name: str) -> str:
    return f'event: {name}\ndata: {{"now":{json.dumps(timezone.now().isoformat())}'
