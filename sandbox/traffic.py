"""Living traffic: calls ring, connect or fail, talk and end, with the rhythm of a day, in real time."""

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
# Calls under way at start are younger than every past one, or the list would be out of order.
LONGEST_AT_START = timedelta(minutes=9)
# At night and on Sundays there is still a fifth of the traffic, so that there is something to see.
QUIETEST = 0.2


@dataclass
class Talk:
    """One call under way: when it connects or fails, and when it ends."""

    index: int
    answers_at: datetime
    ends_at: datetime
    fails: bool
    connected: bool = False


class Traffic:
    """Makes `rate` calls a minute on the average of a week; 0 makes none."""

    def __init__(self, world: World, running: Running, rate: float) -> None:
        self.world = world
        self.running = running
        self.rate = rate
        self.chance = random.Random(world.seed)  # noqa: S311
        self.talks: list[Talk] = []

    def begin(self) -> None:
        """Some calls are already under way at start."""
        now = datetime.now(UTC)
        count = math.ceil(self.rate * AT_START_MINUTES / 2)
        ages = sorted((self.chance.random() ** 2 for _ in range(count)), reverse=True)
        for begun in (now - age * LONGEST_AT_START for age in ages):
            self.ring(begun)
            talk = self.talks[-1]
            talk.fails, talk.answers_at = False, begun
            talk.ends_at = now + timedelta(seconds=self.chance.uniform(10, 300))
        self.step(now)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(STEP_SECONDS)
            now = datetime.now(UTC)
            expected = self.rate / 60 * STEP_SECONDS * max(busyness(now), QUIETEST)
            for _ in range(int(expected) + (self.chance.random() < expected % 1)):
                self.come(now)
            self.step(now)

    def come(self, now: datetime) -> None:
        """A new call; an inbound one asks the application what to do, where there is one."""
        from_, to, direction = self.world.parties(self.world.following)
        if direction == "outgoing" and self.running.settings.on_incoming:
            self.running.arrive({"from": from_, "to": to})
        else:
            self.ring(now)

    def ring(self, now: datetime) -> None:
        index = self.world.following
        from_, to, direction = self.world.parties(index)
        row = {"connection_id": self.world.id_of(index), "status": "connecting"}
        self.world.add(row | {"from": from_, "to": to, "direction": direction})
        answers_at = now + timedelta(seconds=self.chance.uniform(2, 18))
        ends_at = answers_at + timedelta(seconds=self.world.talk_seconds(index))
        self.talks.append(Talk(index, answers_at, ends_at, fails=self.chance.random() < 0.08))

    def step(self, now: datetime) -> None:
        """Let everything happen that is due."""
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
        self.world.change(talk.index, fields)
        self.running.noticed(talk.index)
