"""Many streams, read by one process that takes hardly any time for it.

Asked on its input, it answers on its output, a line of JSON each: first `{"port", "cookies"}`, answered with
the seconds until each stream had the whole board; then lists of `[call, status]`, answered with `Told` as it
stands. Nothing is decoded before that: as they come, the bytes of one stream are compared with another's.
"""

import asyncio
import json
import sys
from array import array
from collections import defaultdict
from dataclasses import dataclass
from time import monotonic
from typing import Any

import uvloop

LIFE = ("connecting", "connected", "finished")
REQUEST = "GET /events/ HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nCookie: {}\r\n\r\n"
# An event ends with the first two, a chunk with the last; neither stands within an event.
END = b"\n\n\r\n"
# So many different pieces are known again.
REMEMBERED = 500


@dataclass(frozen=True, slots=True)
class Event:
    """One that every stream is sent alike: when each of them had it, 0 where it had not."""

    text: bytes
    at: "array[float]"

    def calls(self) -> dict[str, int]:
        """How far each call in it has come."""
        told = json.loads(self.text.partition(b"data: ")[2])
        return {row["call"]: LIFE.index(row["status"]) for row in told["rows"] if row["status"] in LIFE}


@dataclass(frozen=True, slots=True)
class Told:
    """`batches` are the events that told of calls. `reached` has for each change when the last stream had
    it, and how many never had; `boards` is how often a stream was sent the whole board once more."""

    batches: int
    boards: int
    octets: int
    reached: list[tuple[float, int]]


class Watching:
    """What all streams together have been sent, but for the board that each begins with."""

    def __init__(self, streams: int) -> None:
        self.streams = streams
        self.events: dict[bytes, Event] = {}
        self.pieces: dict[bytes, list[Event]] = {}
        self.octets = 0

    def take(self, stream: int, piece: bytes, now: float) -> None:
        """Note what a stream was sent: whole events in whole chunks."""
        events = self.pieces.get(piece)
        if events is None:
            if len(self.pieces) >= REMEMBERED:
                self.pieces.clear()
            events = self.pieces[piece] = self.read(unchunked(piece))
        for event in events:
            event.at[stream] = now

    def begin(self, stream: int, answer: bytes, now: float) -> None:
        """Note what came together with the board that the stream begins with."""
        told = unchunked(answer.partition(b"\r\n\r\n")[2]).partition(b"\n\n")[2]
        for event in self.read(told):
            event.at[stream] = now

    def read(self, told: bytes) -> list[Event]:
        return [
            self.events.setdefault(text, Event(text, array("d", bytes(8 * self.streams))))
            for text in told.split(b"\n\n")
            if text.startswith((b"event: calls\n", b"event: snapshot\n"))
        ]

    def told(self, changes: list[tuple[str, str]]) -> Told:
        """A change was told by whatever first showed that call in that status, or in a later one."""
        by_call: defaultdict[str, list[tuple[int, Event]]] = defaultdict(list)
        batches = boards = 0
        for event in self.events.values():
            calls = event.calls()
            if event.text.startswith(b"event: calls\n"):
                batches += bool(calls)
            else:
                boards += self.streams - event.at.count(0.0)
            for call, come in calls.items():
                by_call[call].append((come, event))
        reached = []
        for call, status in changes:
            shown = [event.at for come, event in by_call[call] if come >= LIFE.index(status)]
            had = [next(filter(None, (at[one] for at in shown)), 0.0) for one in range(self.streams)]
            reached.append((max(had), had.count(0.0)))
        return Told(batches, boards, self.octets, reached)


class Stream(asyncio.Protocol):
    """One stream; `opened` is done when it has the whole board."""

    def __init__(self, number: int, cookie: str, watching: Watching) -> None:
        self.number = number
        self.request = REQUEST.format(cookie).encode()
        self.watching = watching
        self.opened: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.held = bytearray()

    def connection_made(self, transport: Any) -> None:
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        now = monotonic()
        self.watching.octets += len(data)
        if not self.held and data.endswith(END) and self.opened.done():
            self.watching.take(self.number, data, now)
            return
        self.held += data
        if self.held.endswith(END):
            data, self.held = bytes(self.held), bytearray()
            if self.opened.done():
                self.watching.take(self.number, data, now)
            else:
                self.watching.begin(self.number, data, now)
                self.opened.set_result(now)

    def connection_lost(self, problem: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(ConnectionError(bytes(self.held[:300]).decode(errors="replace")))


def unchunked(data: bytes) -> bytes:
    """What whole chunks of an HTTP answer carry."""
    parts, at = [], 0
    while at < len(data):
        start = data.index(b"\r\n", at) + 2
        size = int(data[at:start], 16)
        parts.append(data[start : start + size])
        at = start + size + 2
    return b"".join(parts)


async def main() -> None:
    asked = await _line()
    watching = Watching(len(asked["cookies"]))
    began = monotonic()
    streams = await asyncio.gather(
        *(_open(asked["port"], Stream(n, cookie, watching)) for n, cookie in enumerate(asked["cookies"]))
    )
    _say(max(await asyncio.gather(*(stream.opened for stream in streams))) - began)
    watching.octets = 0
    while (changes := await _line()) is not None:
        told = watching.told(changes)
        _say({name: getattr(told, name) for name in Told.__slots__})


async def _open(port: int, stream: Stream) -> Stream:
    await asyncio.get_running_loop().create_connection(lambda: stream, "127.0.0.1", port)
    return stream


async def _line() -> Any:
    """The next line of what is asked; None at its end."""
    line = await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    return json.loads(line) if line else None


def _say(answer: Any) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
