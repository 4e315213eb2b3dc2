"""Read many streams in one process, with little CPU time.

Each request on stdin and each answer on stdout is a line of JSON: first `{"port", "cookies"}`, answered with
the seconds until each stream had the whole board; then lists of `[call, status]`, answered with `Received`.
Nothing is decoded before that: streams receive the same bytes, which are compared as they arrive.
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
# An event ends with the first two characters, a chunk with the others; neither occurs within an event.
END = b"\n\n\r\n"
CACHED_PIECES = 500


@dataclass(frozen=True, slots=True)
class Event:
    """An event sent to every stream, and when each of them received it (monotonic), or 0."""

    text: bytes
    at: "array[float]"

    def calls(self) -> dict[str, int]:
        """Return the status of each call in it, as an index of LIFE."""
        decoded = json.loads(self.text.partition(b"data: ")[2])
        return {row["call"]: LIFE.index(row["status"]) for row in decoded["rows"] if row["status"] in LIFE}


@dataclass(frozen=True, slots=True)
class Received:
    """`batches` is the number of events with calls, `boards` of boards that streams received again. `reached`
    has for each change when the last stream received it, and how many streams never did."""

    batches: int
    boards: int
    octets: int
    reached: list[tuple[float, int]]


class Watching:
    """All events that the streams have received, without the board that each begins with."""

    def __init__(self, streams: int) -> None:
        self.streams = streams
        self.events: dict[bytes, Event] = {}
        self.pieces: dict[bytes, list[Event]] = {}
        self.octets = 0

    def take(self, stream: int, piece: bytes, now: float) -> None:
        """Record what a stream received: whole events in whole chunks."""
        events = self.pieces.get(piece)
        if events is None:
            if len(self.pieces) >= CACHED_PIECES:
                self.pieces.clear()
            events = self.pieces[piece] = self.read(unchunked(piece))
        for event in events:
            event.at[stream] = now

    def begin(self, stream: int, answer: bytes, now: float) -> None:
        """Record events that arrived together with the board that the stream begins with."""
        text = unchunked(answer.partition(b"\r\n\r\n")[2]).partition(b"\n\n")[2]
        for event in self.read(text):
            event.at[stream] = now

    def read(self, stream: bytes) -> list[Event]:
        """Return the events in a part of a stream; equal events are one object."""
        return [
            self.events.setdefault(text, Event(text, array("d", bytes(8 * self.streams))))
            for text in stream.split(b"\n\n")
            if text.startswith((b"event: calls\n", b"event: snapshot\n"))
        ]

    def received(self, changes: list[tuple[str, str]]) -> Received:
        """Return when the streams received each change: the call in that status, or in a later one."""
        by_call: defaultdict[str, list[tuple[int, Event]]] = defaultdict(list)
        batches = boards = 0
        for event in self.events.values():
            calls = event.calls()
            if event.text.startswith(b"event: calls\n"):
                batches += bool(calls)
            else:
                boards += self.streams - event.at.count(0.0)
            for call, progress in calls.items():
                by_call[call].append((progress, event))
        reached = []
        for call, status in changes:
            shown = [event.at for progress, event in by_call[call] if progress >= LIFE.index(status)]
            had = [next(filter(None, (at[one] for at in shown)), 0.0) for one in range(self.streams)]
            reached.append((max(had), had.count(0.0)))
        return Received(batches, boards, self.octets, reached)


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
    """Return the content of whole chunks of an HTTP answer."""
    parts, at = [], 0
    while at < len(data):
        start = data.index(b"\r\n", at) + 2
        size = int(data[at:start], 16)
        parts.append(data[start : start + size])
        at = start + size + 2
    return b"".join(parts)


async def main() -> None:
    """Open the requested streams, then answer each list of changes."""
    request = await _line()
    watching = Watching(len(request["cookies"]))
    began = monotonic()
    streams = await asyncio.gather(
        *(_open(request["port"], Stream(n, cookie, watching)) for n, cookie in enumerate(request["cookies"]))
    )
    _answer(max(await asyncio.gather(*(stream.opened for stream in streams))) - began)
    watching.octets = 0
    while (changes := await _line()) is not None:
        received = watching.received(changes)
        _answer({name: getattr(received, name) for name in Received.__slots__})


async def _open(port: int, stream: Stream) -> Stream:
    await asyncio.get_running_loop().create_connection(lambda: stream, "127.0.0.1", port)
    return stream


async def _line() -> Any:
    """Return the next request, or None at the end of the input."""
    line = await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    return json.loads(line) if line else None


def _answer(answer: Any) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
