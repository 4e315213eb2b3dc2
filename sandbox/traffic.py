"""Simulated traffic in real time: calls ring, connect or fail, and end, more in busy hours."""

import asyncio
import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sandbox.call import OVER
from sandbox.calls import World, busyness, iso
from sandbox.running import Running

STEP_SECONDS = 0.25
AT_START_MINUTES = 4
# Calls in progress at start must be newer than every past call, to keep the list in order.
LONGEST_AT_START = timedelta(minutes=9)
# A fifth of the average at night and on Sundays, so that the board is never empty.
MIN_BUSYNESS = 0.2


@dataclass
class Talk:
    """One call in progress: when it connects or fails, and when it ends."""

    index: int
    answers_at: datetime
    ends_at: datetime
    fails: bool
    connected: bool = False


class Traffic:
    """Starts `rate` calls a minute, averaged over a week."""

    def __init__(self, world: World, running: Running, rate: float) -> None:
        self.world = world
        self.running = running
        self.rate = rate
        self.chance = random.Random(world.seed)  # noqa: S311
        self.talks: list[Talk] = []

    def begin(self) -> None:
        """Add calls that are already in progress at start."""
        now = datetime.now(UTC)
        count = math.ceil(self.rate * AT_START_MINUTES / 2)
        ages = sorted((self.chance.random() ** 2 for _ in range(count)), reverse=True)
        for begun in (now - age * LONGEST_AT_START for age in ages):
            self.start_ringing(begun)
            talk = self.talks[-1]
            talk.fails, talk.answers_at = False, begun
            talk.ends_at = now + timedelta(seconds=self.chance.uniform(10, 300))
        self.step(now)

    async def run(self) -> None:
        """Start and change calls until cancelled."""
        while True:
            await asyncio.sleep(STEP_SECONDS)
            now = datetime.now(UTC)
            expected = self.rate / 60 * STEP_SECONDS * max(busyness(now), MIN_BUSYNESS)
            for _ in range(int(expected) + (self.chance.random() < expected % 1)):
                self.add_call(now)
            self.step(now)

    def add_call(self, now: datetime) -> None:
        """Add a new call; the application decides about an inbound one, if `on_incoming` is set."""
        from_, to, direction = self.world.parties(self.world.next_index)
        if direction == "outgoing" and self.running.settings.on_incoming:
            self.running.arrive({"from": from_, "to": to})
        else:
            self.start_ringing(now)

    def start_ringing(self, now: datetime) -> None:
        """Add a call that rings from now on, and plan its end."""
        index = self.world.next_index
        from_, to, direction = self.world.parties(index)
        row = {"connection_id": self.world.id_of(index), "status": "connecting"}
        self.world.add(row | {"from": from_, "to": to, "direction": direction})
        answers_at = now + timedelta(seconds=self.chance.uniform(2, 18))
        ends_at = answers_at + timedelta(seconds=self.world.talk_seconds(index))
        self.talks.append(Talk(index, answers_at, ends_at, fails=self.chance.random() < 0.08))

    def step(self, now: datetime) -> None:
        """Make the changes that are due."""
        self.talks = [talk for talk in self.talks if self.world.row(talk.index)["status"] not in OVER]
        for talk in self.talks:
            if not talk.connected and talk.answers_at <= now:
                if talk.fails:
                    self.change(talk, status="failed")
                    talk.ends_at = now
                else:
                    self.change(talk, status="connected", start_time=iso(talk.answers_at))
                talk.connected = True
            if talk.connected and not talk.fails and talk.ends_at <= now:
                self.change(talk, status="finished", end_time=iso(talk.ends_at))
        self.talks = [talk for talk in self.talks if not (talk.connected and talk.ends_at <= now)]

    def change(self, talk: Talk, **fields: str) -> None:
        """Change fields of a call, and react to a new status."""
        self.world.change(talk.index, fields)
        self.running.check_status(talk.index)
