"""The calls in progress: placed, dialled and inbound ones, their routines, and the callbacks about them."""

import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from sandbox.call import OVER, Call, ReceivedRoutine
from sandbox.callbacks import Callback, CallbackQueue, Callbacks
from sandbox.calls import World, iso
from sandbox.commands import perform
from sandbox.parties import OURS
from sandbox.ringing import is_refused, outcome, ring_seconds
from sandbox.routines import Command
from sandbox.settings import Settings

END_SECONDS = 1.5  # from the end of its routine to the end of a call


class Refused(ValueError):
    """Sift refuses the request; the message states why."""


class Running:
    """Every change of a call's status is followed by `check_status`, which reacts to it."""

    def __init__(self, world: World, settings: Settings, callbacks: Callbacks, account: str) -> None:
        self.world = world
        self.settings = settings
        self.callbacks = callbacks
        self.account = account
        self.calls: dict[int, Call] = {}

    # Requests to Sift

    def place(self, to: str, made_by: str, status_url: str | None = None) -> Call:
        """Call a number or a `webrtc:NAME`. Raises Refused for a number that cannot be called."""
        if is_refused(to):
            raise Refused("phone_number: this number cannot be called.")
        ours = OURS[int(self.world.draw(self.world.next_index, 3) * len(OURS))]
        call = self._enter({"from": ours, "to": to, "direction": "incoming"}, made_by, status_url)
        self._send_status(call)
        call.do(self._ring(call))
        return call

    def set_routine(self, index: int, routine: list[Command]) -> None:
        """Stop the running routine and start this one. Raises Refused for a call that is over."""
        call = self.under_way(index)
        if call.status in OVER:
            raise Refused("The connection is over.")
        self._receive(call, routine, "set")

    # Events of calls

    def arrive(self, given: dict[str, Any]) -> Call:
        """Add an inbound call to one of our numbers; the application decides its routine."""
        one, other, direction = self.world.parties(self.world.next_index)
        from_, ours = (other, one) if direction == "incoming" else (one, other)
        row = {"from": from_, "to": ours} | given | {"direction": "outgoing"}
        call = self._enter(row, "incoming", None)
        call.do(self._answer_inbound(call))
        return call

    def finish(self, call: Call) -> None:
        """End a call, unless it is over."""
        if call.status not in OVER:
            self._change(call, status="finished", end_time=iso(datetime.now(UTC)))

    def key(self, index: int, digits: str) -> None:
        """Key digits as the other party; the next command for digits reads them."""
        call = self.under_way(index)
        call.keyed += digits
        call.input_arrived.set()

    def say(self, index: int, speech: dict[str, Any]) -> None:
        """Speak as the other party: `value`, or `error` for speech that was not understood."""
        call = self.under_way(index)
        call.speech.append(speech)
        call.input_arrived.set()

    def check_status(self, index: int) -> None:
        """If the status in the row has changed, send a callback and start or stop the call's activity."""
        call = self.calls.get(index)
        if call is None or call.status == (status := self._status(index)):
            return
        call.status = status
        callback = self._send_status(call)
        if status == "connected":
            call.do(self._begin(call, callback))
        elif status in OVER:
            call.over.set()
            call.stop()

    def under_way(self, index: int) -> Call:
        """Return the call; one that the traffic created is followed from now on."""
        if index not in self.calls:
            row = self.world.row(index)
            self.calls[index] = self._watch(index, row["connection_id"], "traffic", None)
        return self.calls[index]

    # Inside

    def _enter(self, row: dict[str, Any], made_by: str, status_url: str | None) -> Call:
        connection_id = self.world.id_of(self.world.next_index)
        index = self.world.add({"connection_id": connection_id, "status": "connecting"} | row)
        self.calls[index] = self._watch(index, connection_id, made_by, status_url)
        return self.calls[index]

    def _watch(self, index: int, connection_id: str, made_by: str, status_url: str | None) -> Call:
        callbacks = CallbackQueue(self.callbacks)
        return Call(index, connection_id, made_by, self._status(index), callbacks, status_url)

    def _status(self, index: int) -> str:
        return str(self.world.row(index).get("status"))

    def _change(self, call: Call, **fields: Any) -> None:
        self.world.change(call.index, fields)
        self.check_status(call.index)

    def _connect(self, call: Call) -> None:
        self._change(call, status="connected", start_time=iso(datetime.now(UTC)))

    async def _ring(self, call: Call) -> None:
        how = outcome(self.world, self.settings, call.index)
        if how == "never":
            return
        await self.settings.wait(ring_seconds(self.world, self.settings, call.index))
        if how == "failed":
            self._change(call, status="failed")
        else:
            self._connect(call)

    async def _answer_inbound(self, call: Call) -> None:
        if self.settings.on_incoming:
            row = self.world.row(call.index)
            await self._queue(call, "incoming", self.settings.on_incoming, {"connection": row}).settled.wait()
        self._connect(call)

    async def _begin(self, call: Call, callback: Callback | None) -> None:
        """Start the routine received while the call rang, or in the answer to its connected callback."""
        if callback:
            await callback.settled.wait()
        if call.waiting:
            self._start(call, call.waiting)
        else:
            await self._idle(call)

    async def _idle(self, call: Call) -> None:
        seconds = self.settings.idle_seconds
        await self.settings.wait(self.world.talk_seconds(call.index) if seconds is None else seconds)
        self.finish(call)

    def _receive(self, call: Call, routine: list[Command], how: str) -> None:
        received = ReceivedRoutine(routine, how)
        call.received.append(received)
        if call.status == "connecting" and not self._hangs_up_ringing(received):
            call.waiting = received
        elif call.status not in OVER:
            self._start(call, received)

    def _hangs_up_ringing(self, received: ReceivedRoutine) -> bool:
        is_hang_up = [command["name"] for command in received.routine[:1]] == ["HangUp"]
        return is_hang_up and received.how == "set" and self.settings.ringing_hang_up == "at_once"

    def _start(self, call: Call, received: ReceivedRoutine) -> None:
        call.waiting = None
        received.started_at = time.time()
        call.do(self._run(call, received.routine))

    async def _run(self, call: Call, routine: list[Command]) -> None:
        for command in routine:
            call.running = command["name"]
            result = await perform(self, call, command)
            if command.get("on_done"):
                await self._queue(call, "done", command["on_done"], _done(call, result)).settled.wait()
        call.running = None
        if self.settings.after_routine == "hang_up":
            await self.settings.wait(END_SECONDS)
            self.finish(call)

    async def bridge(self, call: Call, to: str) -> None:
        """Call a second party and wait until it hangs up; end its call if this one ends first."""
        with suppress(Refused):
            other = self.place(to, "dial")
            call.dialled.append(other.connection_id)
            try:
                await other.over.wait()
            finally:
                self.finish(other)

    def _send_status(self, call: Call) -> Callback | None:
        if call.status_url is None:
            return None
        row = self.world.row(call.index)
        return self._queue(call, call.status, call.status_url, {"connection": row})

    def _queue(self, call: Call, kind: str, url: str, body: dict[str, Any]) -> Callback:
        how = kind if kind in ("done", "incoming") else "callback"
        callback = Callback(
            connection_id=call.connection_id,
            kind=kind,
            url=url,
            body={"account_id": self.account} | body,
            on_routine=lambda routine: self._receive(call, routine, how),
        )
        call.callbacks.put(callback)
        return callback


def _done(call: Call, result: dict[str, Any]) -> dict[str, Any]:
    return {"connection_id": call.connection_id} | result
