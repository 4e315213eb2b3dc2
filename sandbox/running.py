"""The calls under way: placed, dialled and inbound ones, their routines, and the callbacks about them."""

import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from sandbox.call import OVER, Call, Handed
from sandbox.callbacks import Callback, Callbacks, Line
from sandbox.calls import World, iso
from sandbox.commands import perform
from sandbox.parties import OURS
from sandbox.ringing import is_refused, outcome, ring_seconds
from sandbox.routines import Command
from sandbox.settings import Settings

# How long a call lasts after its routine is used up.
LAST_SECONDS = 1.5


class Refused(ValueError):
    """Sift does not do this; says why."""


class Running:
    """Whatever changes the status of a call says so to `noticed`, from which all else follows."""

    def __init__(self, world: World, settings: Settings, callbacks: Callbacks, account: str) -> None:
        self.world = world
        self.settings = settings
        self.callbacks = callbacks
        self.account = account
        self.calls: dict[int, Call] = {}

    # What is asked of Sift

    def place(self, to: str, made_by: str, status_url: str | None = None) -> Call:
        """Call a number or a `webrtc:NAME`. Raises Refused for a number that cannot be called."""
        if is_refused(to):
            raise Refused("phone_number: this number cannot be called.")
        ours = OURS[int(self.world.draw(self.world.following, 3) * len(OURS))]
        call = self._enter({"from": ours, "to": to, "direction": "incoming"}, made_by, status_url)
        self._tell(call)
        call.do(self._ring(call))
        return call

    def set_routine(self, index: int, routine: list[Command]) -> None:
        """Stop what runs and start this instead. Raises Refused for a call that is over."""
        call = self.under_way(index)
        if call.status in OVER:
            raise Refused("The connection is over.")
        self._hand(call, routine, "set")

    # What happens to calls

    def arrive(self, given: dict[str, Any]) -> Call:
        """Somebody calls one of our numbers; the application is asked what to do."""
        one, other, direction = self.world.parties(self.world.following)
        from_, ours = (other, one) if direction == "incoming" else (one, other)
        row = {"from": from_, "to": ours} | given | {"direction": "outgoing"}
        call = self._enter(row, "incoming", None)
        call.do(self._be_welcomed(call))
        return call

    def finish(self, call: Call) -> None:
        """End a call, unless it is over already."""
        if call.status not in OVER:
            self._change(call, status="finished", end_time=iso(datetime.now(UTC)))

    def key(self, index: int, digits: str) -> None:
        """The person keys digits; they wait for a command that wants them."""
        call = self.under_way(index)
        call.keyed += digits
        call.stirred.set()

    def say(self, index: int, said: dict[str, Any]) -> None:
        """The person says something: `value`, or `error` for what was not understood."""
        call = self.under_way(index)
        call.said.append(said)
        call.stirred.set()

    def noticed(self, index: int) -> None:
        """The row of a call may have changed: tell of it, and do what its status asks for."""
        call = self.calls.get(index)
        if call is None or call.status == (status := self._status(index)):
            return
        call.status = status
        told = self._tell(call)
        if status == "connected":
            call.do(self._begin(call, told))
        elif status in OVER:
            call.over.set()
            call.stop()

    def under_way(self, index: int) -> Call:
        """The call; one that came about without us is watched from now on."""
        if index not in self.calls:
            row = self.world.row(index)
            self.calls[index] = self._watch(index, row["connection_id"], "traffic", None)
        return self.calls[index]

    # Inside

    def _enter(self, row: dict[str, Any], made_by: str, status_url: str | None) -> Call:
        connection_id = self.world.id_of(self.world.following)
        index = self.world.add({"connection_id": connection_id, "status": "connecting"} | row)
        self.calls[index] = self._watch(index, connection_id, made_by, status_url)
        return self.calls[index]

    def _watch(self, index: int, connection_id: str, made_by: str, status_url: str | None) -> Call:
        line = Line(self.callbacks)
        return Call(index, connection_id, made_by, self._status(index), line, status_url)

    def _status(self, index: int) -> str:
        return str(self.world.row(index).get("status"))

    def _change(self, call: Call, **fields: Any) -> None:
        self.world.change(call.index, fields)
        self.noticed(call.index)

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

    async def _be_welcomed(self, call: Call) -> None:
        if self.settings.on_incoming:
            row = self.world.row(call.index)
            await self._ask(call, "incoming", self.settings.on_incoming, {"connection": row}).settled.wait()
        self._connect(call)

    async def _begin(self, call: Call, told: Callback | None) -> None:
        """Start what was handed while the call rang; what is answered to its connecting goes before that."""
        if told:
            await told.settled.wait()
        if call.waiting:
            self._start(call, call.waiting)
        else:
            await self._idle(call)

    async def _idle(self, call: Call) -> None:
        seconds = self.settings.idle_seconds
        await self.settings.wait(self.world.talk_seconds(call.index) if seconds is None else seconds)
        self.finish(call)

    def _hand(self, call: Call, routine: list[Command], how: str) -> None:
        handed = Handed(routine, how)
        call.handed.append(handed)
        if call.status == "connecting" and not self._hangs_up_ringing(handed):
            call.waiting = handed
        elif call.status not in OVER:
            self._start(call, handed)

    def _hangs_up_ringing(self, handed: Handed) -> bool:
        names = [command["name"] for command in handed.routine]
        return handed.how == "set" and names[:1] == ["HangUp"] and self.settings.ringing_hang_up == "at_once"

    def _start(self, call: Call, handed: Handed) -> None:
        call.waiting = None
        handed.started_at = time.time()
        call.do(self._run(call, handed.routine))

    async def _run(self, call: Call, routine: list[Command]) -> None:
        for command in routine:
            call.running = command["name"]
            heard = await perform(self, call, command)
            if command.get("on_done"):
                await self._ask(call, "done", command["on_done"], _done(call, heard)).settled.wait()
        call.running = None
        if self.settings.after_routine == "hang_up":
            await self.settings.wait(LAST_SECONDS)
            self.finish(call)

    async def bridge(self, call: Call, to: str) -> None:
        """Call a second party and stay with it until it goes; it does not stay without us."""
        with suppress(Refused):
            other = self.place(to, "dial")
            call.dialled.append(other.connection_id)
            try:
                await other.over.wait()
            finally:
                self.finish(other)

    def _tell(self, call: Call) -> Callback | None:
        if call.status_url is None:
            return None
        row = self.world.row(call.index)
        return self._ask(call, call.status, call.status_url, {"connection": row})

    def _ask(self, call: Call, kind: str, url: str, body: dict[str, Any]) -> Callback:
        how = kind if kind in ("done", "incoming") else "callback"
        callback = Callback(
            connection_id=call.connection_id,
            kind=kind,
            url=url,
            body={"account_id": self.account} | body,
            take=lambda routine: self._hand(call, routine, how),
        )
        call.line.put(callback)
        return callback


def _done(call: Call, heard: dict[str, Any]) -> dict[str, Any]:
    return {"connection_id": call.connection_id} | heard
