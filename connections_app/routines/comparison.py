"""Compare two versions of a routine, line by line."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from connections_app.models import Routine
from connections_app.routines.cards import in_order
from connections_app.sift.placeholders import JSON
from connections_app.sift.routine import Unreadable, check, decoded, preview, read, written

CONTEXT_LINES = 3
DRAFT = "draft"
NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


class Mark(StrEnum):
    """How a line differs between the versions."""

    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a comparison; the text of skipped lines is their number, in words."""

    mark: Mark
    text: str


@dataclass(frozen=True, slots=True)
class Version:
    """One of the compared versions: its key in the query string, its commands as JSON and in words."""

    key: str
    label: str
    text: str
    preview: str


def version(routine: Routine, key: str, names: Mapping[int, str]) -> Version | None:
    """Return the version with this key, a number or `draft`, or None if there is none."""
    if key == DRAFT and routine.draft:
        text = routine.draft
        with suppress(Unreadable):
            text = _in_order(decoded(text))
        return Version(key, "the draft", text, preview(read(text), names))
    if not NUMBER.fullmatch(key):
        return None
    found = routine.versions.filter(number=int(key)).first()
    if found is None:
        return None
    text, words = _in_order(found.commands), preview(check(found.commands), names)
    return Version(key, f"version {found.number}", text, words)


def compare_lines(before: str, after: str) -> list[Line]:
    """Return the lines of both texts; of equal lines only `CONTEXT_LINES` around each difference."""
    old, new = before.splitlines(), after.splitlines()
    found: list[Line] = []
    for kind, start, end, new_start, new_end in SequenceMatcher(None, old, new).get_opcodes():
        if kind == "equal":
            found += _same(old[start:end], is_first=start == 0, is_last=end == len(old))
        else:
            found += [Line(Mark.REMOVED, line) for line in old[start:end]]
            found += [Line(Mark.ADDED, line) for line in new[new_start:new_end]]
    return found


def _in_order(commands: JSON) -> str:
    return written(in_order(commands) if isinstance(commands, list) else commands)


def _same(lines: list[str], *, is_first: bool, is_last: bool) -> Iterator[Line]:
    head = 0 if is_first else CONTEXT_LINES
    tail = 0 if is_last else CONTEXT_LINES
    skipped = len(lines) - head - tail
    if skipped < 2 or (is_first and is_last):
        yield from (Line(Mark.SAME, line) for line in lines)
        return
    yield from (Line(Mark.SAME, line) for line in lines[:head])
    yield Line(Mark.SKIPPED, f"{skipped} lines are the same")
    yield from (Line(Mark.SAME, line) for line in lines[len(lines) - tail :])
