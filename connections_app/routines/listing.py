"""Saved routines as people read them: in words, with what may be filled in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connections_app.models import Routine
from connections_app.routines import library
from connections_app.sift import routine as routines
from connections_app.sift.commands import COMMANDS, Undocumented
from connections_app.sift.routine import JSON, Placeholder, Problem


@dataclass(frozen=True, slots=True)
class Row:
    """One routine of the list; what it does is told of the published version, else of the draft."""

    routine: Routine
    preview: str


@dataclass(frozen=True, slots=True)
class Told:
    """A list of commands, each told with its icon."""

    clauses: Sequence[tuple[str, str]]
    placeholders: Sequence[Placeholder]
    warnings: Sequence[Problem]
    json: str


def rows(*, archived: bool) -> list[Row]:
    """The routines by name, or those that are archived, the last first. Two queries."""
    listed = Routine.objects.select_related("published")
    if archived:
        listed = listed.exclude(archived_at=None).order_by("-archived_at")
    else:
        listed = listed.current().order_by("name")
    names = library.names()
    return [Row(routine, _preview(routine, names)) for routine in listed]


def told(commands: Sequence[JSON], names: Mapping[int, str]) -> Told:
    """`commands` as they are told, those of a published version."""
    checked = routines.check(list(commands))
    icons = [COMMANDS.get(item["name"], Undocumented).icon for item in checked.source]
    sentences = [f"{clause[:1].upper()}{clause[1:]}" for clause in routines.clauses(checked, names)]
    return Told(
        list(zip(icons, sentences, strict=True)),
        checked.placeholders,
        checked.warnings,
        routines.written(list(commands)),
    )


def _preview(routine: Routine, names: Mapping[int, str]) -> str:
    if routine.published:
        return routines.preview(routines.check(routine.published.commands), names)
    return routines.preview(routines.read(routine.draft), names)
