"""Who answers a call that Sift places, and after how long."""

from sandbox.calls import World
from sandbox.settings import Settings

# Of the calls, when `answers` is chance.
FAILS = 0.08
RING_SECONDS = (2.0, 6.0)
# What is special about numbers that end so.
REFUSED, NEVER_ANSWERED, CANNOT_BE_REACHED = "0000", "0001", "0002"


def is_refused(to: str) -> bool:
    """Whether Sift does not even try."""
    return _ends(to, REFUSED)


def outcome(world: World, settings: Settings, index: int) -> str:
    """connected, failed, or never (it rings on)."""
    to = world.row(index)["to"]
    if _ends(to, NEVER_ANSWERED):
        return "never"
    if _ends(to, CANNOT_BE_REACHED):
        return "failed"
    if settings.answers == "chance":
        return "failed" if world.draw(index, 30) < FAILS else "connected"
    return settings.answers


def ring_seconds(world: World, settings: Settings, index: int) -> float:
    if settings.ring_seconds is not None:
        return settings.ring_seconds
    shortest, longest = RING_SECONDS
    return shortest + (longest - shortest) * world.draw(index, 31)


def _ends(to: str, digits: str) -> bool:
    return to.startswith("+") and to.endswith(digits)
