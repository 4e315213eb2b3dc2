"""A DATA_DIR whose cluster lies elsewhere, copied or moved."""

import shutil
from pathlib import Path

import pytest

from launch.ownership import BelongsToAnother, point, pointed_place


@pytest.fixture
def original(tmp_path: Path) -> Path:
    data_dir, place = tmp_path / "data", tmp_path / "place"
    data_dir.mkdir()
    place.mkdir()
    point(data_dir, place)
    return data_dir


def test_its_owner_finds_it(original: Path, tmp_path: Path) -> None:
    assert pointed_place(original) == tmp_path / "place"


def test_a_copy_is_refused_and_says_whose_it_is_and_what_to_do(original: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(original, tmp_path / "copy")
    with pytest.raises(BelongsToAnother, match=f"belong to {original}") as refused:
        pointed_place(copy)
    assert f"remove {copy}/postgres-place" in str(refused.value)
    assert pointed_place(original) == tmp_path / "place"


def test_one_that_was_moved_takes_its_calls_along(original: Path, tmp_path: Path) -> None:
    moved = original.rename(tmp_path / "moved")
    assert pointed_place(moved) == tmp_path / "place"
    copy = shutil.copytree(moved, tmp_path / "copy")
    with pytest.raises(BelongsToAnother):
        pointed_place(copy)


def test_a_cluster_of_an_older_version_is_taken_by_who_comes_first(original: Path, tmp_path: Path) -> None:
    (tmp_path / "place" / "data-dir").unlink()
    assert pointed_place(original) == tmp_path / "place"
    with pytest.raises(BelongsToAnother):
        pointed_place(shutil.copytree(original, tmp_path / "copy"))


def test_without_a_pointer_there_is_none(tmp_path: Path) -> None:
    assert pointed_place(tmp_path) is None
