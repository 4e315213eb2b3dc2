"""What the editor shows: a control for each field, with the problems of that field."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from connections_app.routines import library
from connections_app.routines.cards import NO_COMMAND, OTHERS, UNKNOWN, Card
from connections_app.routines.editing import Editor
from connections_app.routines.fields import ANSWER_SPECIALS, Field, Widget, rows_typed
from connections_app.sift import routine as routines
from connections_app.sift.commands import COMMANDS
from connections_app.sift.placeholders import Placeholder, placeholders
from connections_app.sift.problems import Problem

STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Control:
    """One control of a form: its id is also its name. `label` is its title in a row; `extra` marks the empty
    row at the end, which was not sent."""

    id: str
    field: Field
    label: str = ""
    value: str = ""
    problem: str = ""
    rows: Sequence[Sequence["Control"]] = ()
    specials: Sequence["Control"] = ()
    extra: bool = False

    @property
    def is_set(self) -> bool:
        """True if it or a control of its rows has text or a problem."""
        return any(one.value or one.problem for one in self.everything())

    def everything(self) -> Iterator["Control"]:
        """Yield the control and the controls of its rows."""
        yield self
        for row in (*self.rows, self.specials):
            for control in row:
                yield from control.everything()


@dataclass(frozen=True, slots=True)
class ShownCard:
    """One card: `needed` controls are visible, `more` are folded until one of them is used."""

    id: str
    position: int
    kind: str
    label: str
    icon: str
    needed: Sequence[Control]
    more: Sequence[Control]
    others: str
    problem: str
    others_problem: str
    is_first: bool
    is_last: bool

    @property
    def shows_others(self) -> bool:
        """True if the control for other fields is shown."""
        return bool(self.others or self.others_problem) or self.kind in (NO_COMMAND, UNKNOWN)

    @property
    def more_is_open(self) -> bool:
        """True if a folded control is used."""
        return any(control.is_set for control in self.more)

    @property
    def more_names(self) -> str:
        """The titles of the folded controls."""
        return ", ".join(control.field.title for control in self.more)

    def focus(self, target: str) -> str:
        """Return the id to focus for `target`: a new card's or row's first control, an enabled button."""
        if target == self.id:
            return next((one.id for one in self.needed if not one.rows), self.id)
        for control in (*self.needed, *self.more):
            if target == control.id and control.rows:
                return control.rows[-1][0].id
        if target == f"{self.id}-up" and self.is_first:
            return f"{self.id}-down"
        if target == f"{self.id}-down" and self.is_last:
            return f"{self.id}-up"
        return target

    def controls(self) -> Iterator[Control]:
        """Yield all controls that were sent, including those in rows."""
        for control in (*self.needed, *self.more):
            yield from (one for one in control.everything() if not one.extra)


@dataclass(frozen=True)
class View:
    """The editor, its preview, its problems, and the routines that commands may continue with."""

    editor: Editor
    names: Mapping[int, str]
    problems: Sequence[tuple[str, str]] = ()
    warnings: Sequence[Problem] = ()
    notes: Sequence[Problem] = ()
    preview: str = ""
    placeholders: Sequence[Placeholder] = ()
    by_control: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def known(self) -> frozenset[str]:
        """The ids of the offered routines, as text."""
        return frozenset(map(str, self.names))

    @cached_property
    def focus(self) -> str:
        """The id of the control to focus."""
        target = self.editor.focus
        card = next((card for card in self.cards if target.partition("-")[0] == card.id), None)
        return card.focus(target) if card else target

    @cached_property
    def cards(self) -> list[ShownCard]:
        """The cards with their controls and problems."""
        last = len(self.editor.cards) - 1
        return [_shown(i, card, self.by_control, i == last) for i, card in enumerate(self.editor.cards)]


def view(editor: Editor, names: Mapping[int, str]) -> View:
    """Check the commands and return what to show; if both sides do not agree, only the reasons for that."""
    if not editor.in_step:
        return View(editor, names, by_control=editor.mistyped)
    commands = editor.commands
    checked = routines.check(commands)
    problems = [*checked.problems, *library.problems_of_continuations(checked, names)]
    placed = [(_place(problem, editor.cards), problem) for problem in problems]
    return View(
        editor,
        names,
        [(str(problem), control) for (control, _), problem in placed],
        checked.warnings,
        checked.notes,
        routines.preview(checked, names),
        placeholders(commands),
        _joined((control, words) for (control, words), problem in placed if problem.position),
    )


def _shown(index: int, card: Card, problems: Mapping[str, str], is_last: bool) -> ShownCard:
    prefix = f"c{index}"
    controls = [_control(f"{prefix}-{one.name}", one, card.typed, problems) for one in card.fields]
    known = COMMANDS.get(card.kind)
    label = known.label if known else "Not a command" if card.kind == NO_COMMAND else "Another command"
    return ShownCard(
        prefix,
        index + 1,
        card.kind,
        label,
        known.icon if known else card.command.icon,
        [control for control in controls if control.field.required],
        [control for control in controls if not control.field.required],
        card.others,
        problems.get(prefix, ""),
        problems.get(f"{prefix}-{OTHERS}", ""),
        index == 0,
        is_last,
    )


def _control(id: str, one: Field, typed: Mapping[str, str], problems: Mapping[str, str]) -> Control:
    def shown(control: str, of: Field, label: str = "", extra: bool = False) -> Control:
        return Control(
            control,
            of,
            label,
            typed.get(control.partition("-")[2], ""),
            problems.get(control, ""),
            extra=extra,
        )

    columns = tuple(column.name for column in one.columns)
    there = len(rows_typed(one.name, columns, typed))
    rows = [
        [
            shown(f"{id}-{row}-{column.name}", column, f"{column.title}, line {row + 1}", row == there)
            for column in one.columns
        ]
        for row in range(there + 1 if columns else 0)
    ]
    specials = ANSWER_SPECIALS if one.widget == Widget.ANSWERS else ()
    return replace(
        shown(id, one), rows=rows, specials=[shown(f"{id}-{special.name}", special) for special in specials]
    )


def _place(problem: Problem, cards: Sequence[Card]) -> tuple[str, str]:
    """Return the control where a problem is shown, and the problem as a sentence."""
    if problem.position is None:
        return "json", _sentence(problem.words)
    index = problem.position - 1
    card = cards[index]
    steps = [step[0] or int(step[1]) - 1 for step in STEP.findall(problem.field)]
    controls = {one.name: one for one in card.fields}
    if not steps or steps[0] not in controls:
        where = f"c{index}-{OTHERS}" if card.others else f"c{index}"
        return where, f"{problem.field}: {problem.words}." if problem.field else _sentence(problem.words)
    return _within(f"c{index}-{steps[0]}", controls[str(steps[0])], steps[1:], card, problem.words)


def _within(control: str, one: Field, steps: Sequence[str | int], card: Card, words: str) -> tuple[str, str]:
    """Return the same within a field, which may have rows."""
    names = [column.name for column in one.columns]
    filled = [i for i, row in enumerate(rows_typed(one.name, tuple(names), card.typed)) if any(row)]
    match steps:
        case [int(nth), str(column)] if nth < len(filled) and column in names:
            return f"{control}-{filled[nth]}-{column}", _sentence(words)
        case []:
            return control, _sentence(words)
    path = "".join(f"[{step + 1}]" if isinstance(step, int) else f" {step}" for step in steps)
    return control, f"{one.title}{path}: {words}."


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _joined(placed: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for control, words in placed:
        joined[control] = f"{joined[control]} {words}" if control in joined else words
    return joined
