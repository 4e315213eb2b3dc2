"""How two versions of a routine differ, line by line."""

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

SAME_SHOWN = 3
DRAFT = "draft"
NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


class Mark(StrEnum):
    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a comparison; of skipped ones, how many there are, as words."""

    mark: Mark
    text: str


@dataclass(frozen=True, slots=True)
class Version:
    """One of the two that are compared: its key in the query string, its commands as JSON and in words."""

    key: str
    label: str
    text: str
    preview: str


def version(routine: Routine, key: str, names: Mapping[int, str]) -> Version | None:
    """The version that `key` names, a number or `draft`; None where there is no such version."""
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


def compared(before: str, after: str) -> list[Line]:
    """The lines of both, those that are the same only around those that are not."""
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
    head = 0 if is_first else SAME_SHOWN
    tail = 0 if is_last else SAME_SHOWN
    skipped = len(lines) - head - tail
    if skipped < 2 or (is_first and is_last):
        yield from (Line(Mark.SAME, line) for line in lines)
        return
    yield from (Line(Mark.SAME, line) for line in lines[:head])
    yield Line(Mark.SKIPPED, f"{skipped} lines are the same")
    yield from (Line(Mark.SAME, line) for line in lines[len(lines) - tail :])
