"""What the sandbox remembers from one start to the next: when its month was, and the calls since."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from sandbox.calls import World, iso

# A kill may lose the last calls, but their ids must not come again: so many are passed over.
PASSED_OVER = 1_000


def remembered_now(file: Path) -> datetime | None:
    """When the world that `file` holds began; None for a new one."""
    return datetime.fromisoformat(json.loads(file.read_text())["now"]) if file.exists() else None


def recall(world: World, file: Path) -> None:
    """Bring back the calls added before; those that were under way have ended meanwhile."""
    if not file.exists():
        return
    kept = json.loads(file.read_text())
    for key, row in kept["calls"].items():
        world.following = int(key)
        world.add(_ended(row))
    world.following = int(kept["following"]) + PASSED_OVER


def remember(world: World, file: Path) -> None:
    """Write all of it, whole or not at all."""
    added = {index: world.row(index) for index in world.added if index not in world.forgotten}
    kept = {"now": world.now.isoformat(), "following": world.following, "calls": added}
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
