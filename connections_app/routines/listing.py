"""Describe saved routines in words, with their placeholders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connections_app.models import Routine
from connections_app.routines import library
from connections_app.routines.cards import in_order
from connections_app.routines.fields import Widget, fields_of
from connections_app.sift import routine as routines
from connections_app.sift.commands import COMMANDS, LONGEST_QUOTED, Undocumented
from connections_app.sift.placeholders import JSON, JSONObject, Placeholder
from connections_app.sift.problems import Problem


@dataclass(frozen=True, slots=True)
class Row:
    """One routine of the list; `preview` describes the published version, or else the draft."""

    routine: Routine
    preview: str


@dataclass(frozen=True, slots=True)
class Clause:
    """One command in words; `text` is the full spoken text, if the words shorten it."""

    icon: str
    words: str
    text: str


@dataclass(frozen=True, slots=True)
class RoutineInWords:
    """A list of commands in words."""

    clauses: Sequence[Clause]
    placeholders: Sequence[Placeholder]
    warnings: Sequence[Problem]
    json: str


def rows(*, archived: bool) -> list[Row]:
    """Return the routines by name, or the archived ones, the latest first. Two queries."""
    listed = Routine.objects.select_related("published")
    if archived:
        listed = listed.exclude(archived_at=None).order_by("-archived_at")
    else:
        listed = listed.current().order_by("name")
    names = library.names()
    return [Row(routine, _preview(routine, names)) for routine in listed]


def in_words(commands: Sequence[JSON], names: Mapping[int, str]) -> RoutineInWords:
    """Describe the commands of a published version."""
    checked = routines.check(list(commands))
    clauses = zip(checked.source, routines.clauses(checked, names), strict=True)
    return RoutineInWords(
        [_clause(item, words) for item, words in clauses],
        checked.placeholders,
        checked.warnings,
        routines.written(in_order(commands)),
    )


def _clause(item: JSONObject, words: str) -> Clause:
    command = COMMANDS.get(item["name"], Undocumented)
    texts = (item.get(field.name) for field in fields_of(command) if field.widget == Widget.TEXT)
    cut = next((text for text in texts if text and len(text) > LONGEST_QUOTED), "")
    return Clause(command.icon, f"{words[:1].upper()}{words[1:]}", cut)


def _preview(routine: Routine, names: Mapping[int, str]) -> str:
    if routine.published:
        return routines.preview(routines.check(routine.published.commands), names)
    return routines.preview(routines.read(routine.draft), names)
