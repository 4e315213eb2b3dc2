"""Settings for the behaviour of calls in progress; each can be changed at run time."""

import asyncio
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

CHOICES = {
    "create_answer": ("object", "id", "empty"),
    "answers": ("chance", "connected", "failed", "never"),
    "ringing_hang_up": ("at_once", "kept"),
    "after_routine": ("hang_up", "stay"),
    "says": ("something", "nothing"),
}


@dataclass
class Settings:
    """Durations are in seconds and are divided by `speed`; None means random."""

    create_answer: str = "object"
    answers: str = "chance"
    ring_seconds: float | None = None
    ringing_hang_up: str = "at_once"
    idle_seconds: float | None = None
    after_routine: str = "hang_up"
    keys: str = ""
    says: str = "something"
    speed: float = 1.0
    on_incoming: str | None = None

    def set(self, name: str, value: Any) -> None:
        """Change a setting. Raises `ValueError` for an unknown name or a wrong value."""
        if not _allowed(name, value):
            raise ValueError(f"no such setting or value: {name}={value!r}")
        setattr(self, name, value)

    async def wait(self, seconds: float) -> None:
        """Sleep for `seconds` / `speed`."""
        await asyncio.sleep(seconds / self.speed)


def is_url(value: Any) -> bool:
    """Return True if Sift could send a request there."""
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
        return (
            parts is not None
            and parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and parts.port != 0
        )
    except ValueError:
        return False


def _allowed(name: str, value: Any) -> bool:
    match name:
        case "ring_seconds" | "idle_seconds":
            return value is None or (_is_number(value) and value >= 0)
        case "speed":
            return _is_number(value) and value > 0
        case "keys":
            return isinstance(value, str) and set(value) <= set("0123456789*#")
        case "on_incoming":
            return value is None or is_url(value)
    return value in CHOICES.get(name, ())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
