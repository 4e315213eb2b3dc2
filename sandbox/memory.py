"""Save the sandbox's calls from one start to the next: the end of its month, and the calls since."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from sandbox.calls import World, iso

# A kill may lose the last calls, but their ids must not be used again.
SKIPPED_IDS = 1_000


def saved_now(file: Path) -> datetime | None:
    """Return the time at which the month in `file` ends, or None without a file."""
    return datetime.fromisoformat(json.loads(file.read_text())["now"]) if file.exists() else None


def load(world: World, file: Path) -> None:
    """Load the added calls; those that were in progress have ended since."""
    if not file.exists():
        return
    kept = json.loads(file.read_text())
    for key, row in kept["calls"].items():
        world.next_index = int(key)
        world.add(_ended(row))
    world.next_index = int(kept["following"]) + SKIPPED_IDS


def save(world: World, file: Path) -> None:
    """Write the file atomically."""
    added = {index: world.row(index) for index in world.added if index not in world.forgotten}
    kept = {"now": world.now.isoformat(), "following": world.next_index, "calls": added}
    part = file.with_suffix(".part")
    part.write_text(json.dumps(kept))
    os.replace(part, file)


def _ended(row: object) -> object:
    if not isinstance(row, dict):
        return row
    match row.get("status"):
        case "connecting":
            return row | {"status": "failed"}
        case "connected":
            return row | {"status": "finished", "end_time": iso(datetime.now(UTC))}
    return row
