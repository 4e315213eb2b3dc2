"""The link between a DATA_DIR and its cluster outside it: a copied DATA_DIR points to the original's."""

from pathlib import Path

POINTER = "postgres-place"
OWNER = "data-dir"


class BelongsToAnother(Exception):
    """The cluster belongs to another DATA_DIR; the message names it, and what to do."""


def pointed_place(data_dir: Path) -> Path | None:
    """Return the folder outside `data_dir` that holds its cluster, or None without one.

    A moved DATA_DIR keeps its cluster. Raises `BelongsToAnother` for a copied one.
    """
    try:
        place = Path((data_dir / POINTER).read_text())
    except FileNotFoundError:
        return None
    if not place.is_dir():
        return None
    owner = _owner_of(place)
    if owner not in (None, data_dir) and _points_to(owner, place):
        raise BelongsToAnother(
            f"{data_dir} is a copy: the calls lie in {place} and belong to {owner}. Start there; or remove "
            f"{data_dir / POINTER} to begin here with no calls; or move {owner} away to keep them here."
        )
    if owner != data_dir:
        point(data_dir, place)
    return place


def point(data_dir: Path, place: Path) -> None:
    """Record in both folders that the cluster in `place` belongs to `data_dir`."""
    (place / OWNER).write_text(str(data_dir))
    (data_dir / POINTER).write_text(str(place))


def _owner_of(place: Path) -> Path | None:
    try:
        return Path((place / OWNER).read_text())
    except FileNotFoundError:
        return None  # made by a version that did not record it


def _points_to(data_dir: Path | None, place: Path) -> bool:
    try:
        return data_dir is not None and (data_dir / POINTER).read_text() == str(place)
    except OSError:
        return False
