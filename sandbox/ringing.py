"""Decide whether a placed call is answered, and after how long."""

from sandbox.calls import World
from sandbox.settings import Settings

FAILURE_RATE = 0.08  # if `answers` is chance
RING_SECONDS = (2.0, 6.0)
# Endings of numbers with a special outcome.
REFUSED, NEVER_ANSWERED, CANNOT_BE_REACHED = "0000", "0001", "0002"


def is_refused(to: str) -> bool:
    """Return True if Sift refuses to call the number."""
    return _ends(to, REFUSED)


def outcome(world: World, settings: Settings, index: int) -> str:
    """Return "connected", "failed", or "never" for a call that keeps ringing."""
    to = world.row(index)["to"]
    if _ends(to, NEVER_ANSWERED):
        return "never"
    if _ends(to, CANNOT_BE_REACHED):
        return "failed"
    if settings.answers == "chance":
        return "failed" if world.draw(index, 30) < FAILURE_RATE else "connected"
    return settings.answers


def ring_seconds(world: World, settings: Settings, index: int) -> float:
    """Return how long the call rings."""
    if settings.ring_seconds is not None:
        return settings.ring_seconds
    shortest, longest = RING_SECONDS
    return shortest + (longest - shortest) * world.draw(index, 31)


def _ends(to: str, digits: str) -> bool:
    return to.startswith("+") and to.endswith(digits)
