"""The editor: forms for the commands and their JSON, kept in sync.

Either side may be changed. A digest of each side from when both last agreed shows which one was changed;
the other side is then updated from it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from connections_app.routines.cards import UNKNOWN, Card, cards_of, commands_of, typed_cards
from connections_app.sift.commands import COMMANDS
from connections_app.sift.placeholders import JSON
from connections_app.sift.routine import MOST_COMMANDS, Unreadable, decoded, written


class Side(StrEnum):
    """The sides of the editor."""

    FORMS = "forms"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Editor:
    """The current state of both sides.

    `unread` is why the JSON cannot be read, `mistyped` why controls cannot, by name; the other side is then
    unchanged. `clash` is True if both were changed. `follows` is the side just updated from the other.
    """

    cards: Sequence[Card]
    text: str
    agreed: Mapping[Side, str]
    unread: str = ""
    mistyped: Mapping[str, str] = field(default_factory=dict)
    clash: bool = False
    follows: Side | None = None
    focus: str = ""

    @property
    def in_step(self) -> bool:
        """True if both sides agree."""
        return not (self.unread or self.mistyped or self.clash)

    @property
    def commands(self) -> list[JSON]:
        """The commands; empty if the sides do not agree."""
        return _listed(self.text) if self.in_step else []


def open_editor(text: str) -> Editor:
    """Return the editor for the JSON of a draft or of a published version."""
    try:
        return _agreed(cards_of(_listed(text)), text)
    except Unreadable as error:
        return Editor([], text, {Side.FORMS: _digest("[]"), Side.JSON: ""}, str(error))


def read_editor(sent: Mapping[str, str]) -> Editor:
    """Return the submitted editor, with the unchanged side updated from the changed one.

    `keep` in `sent` names the side to keep if both were changed. Without forms, the JSON is used.
    """
    text = sent.get("json", "").replace("\r\n", "\n")
    cards = typed_cards(sent)
    agreed = {side: sent.get(f"agreed_{side}", "") for side in Side}
    keep = sent.get("keep") if f"agreed_{Side.FORMS}" in sent else Side.JSON
    commands, mistyped = commands_of(cards)
    forms_changed = keep != Side.JSON and (
        keep == Side.FORMS or bool(mistyped) or _digest(written(commands)) != agreed[Side.FORMS]
    )
    json_changed = keep != Side.FORMS and _digest(text) != agreed[Side.JSON]
    if forms_changed and json_changed:
        return Editor(cards, text, agreed, _unread(text), mistyped, clash=True)
    if forms_changed:
        mistyped = mistyped or _too_much(commands)
        if mistyped:
            return Editor(cards, text, agreed, mistyped=mistyped)
        return _agreed(cards, written(commands), follows=Side.JSON)
    if unread := _unread(text):
        return Editor(cards, text, agreed, unread)
    if json_changed or keep:
        return _agreed(cards_of(_listed(text)), text, follows=Side.FORMS)
    return _agreed(cards, text)


def apply_action(editor: Editor, action: str) -> Editor:
    """Apply a button of the forms: `add:Say`, `up:2`, `down:2`, `remove:2`, `row:2:live_scan`."""
    if editor.unread or editor.clash:
        return editor
    verb, _, rest = action.partition(":")
    where, _, name = rest.partition(":")
    moved = _moved(list(editor.cards), verb, where)
    if moved is None:
        return editor
    cards, focus = moved
    if verb == "row":
        focus = f"{focus}-{name}"
    commands, mistyped = commands_of(cards)
    if mistyped := mistyped or _too_much(commands):
        return replace(editor, cards=cards, mistyped=mistyped, focus=focus)
    return replace(_agreed(cards_of(commands), written(commands)), focus=focus)


def _moved(cards: list[Card], verb: str, where: str) -> tuple[list[Card], str] | None:
    """Return the cards after `verb` and the control to focus, or None if there is nothing to do."""
    if verb == "add":
        kind = where if where in COMMANDS else UNKNOWN
        return ([*cards, Card(kind)], f"c{len(cards)}") if len(cards) < MOST_COMMANDS else None
    index = int(where) - 1 if where.isdecimal() and len(where) < 4 else -1
    if not 0 <= index < len(cards):
        return None
    match verb:
        case "up" if index > 0:
            cards[index - 1 : index + 1] = cards[index], cards[index - 1]
            return cards, f"c{index - 1}-up"
        case "down" if index < len(cards) - 1:
            cards[index : index + 2] = cards[index + 1], cards[index]
            return cards, f"c{index + 1}-down"
        case "remove":
            del cards[index]
            return cards, f"c{min(index, len(cards) - 1)}-remove" if cards else "add"
        case "row":
            return cards, f"c{index}"
    return None


def _agreed(cards: Sequence[Card], text: str, *, follows: Side | None = None) -> Editor:
    commands, mistyped = commands_of(cards)
    agreed = {Side.FORMS: _digest(written(commands)), Side.JSON: _digest(text)}
    return Editor(cards, text, agreed, mistyped=mistyped, follows=follows)


def _too_much(commands: list[JSON]) -> dict[str, str]:
    """Return the problem of forms whose JSON could not be read again, if any."""
    unread = _unread(written(commands))
    return {"json": unread} if unread else {}


def _unread(text: str) -> str:
    try:
        _listed(text)
    except Unreadable as error:
        return str(error)
    return ""


def _listed(text: str) -> list[JSON]:
    """Return the commands in `text`, valid or not. Raises `Unreadable`."""
    commands = decoded(text)
    if not isinstance(commands, list):
        raise Unreadable("a routine is a list of commands, in [ ]")
    if len(commands) > MOST_COMMANDS:
        raise Unreadable(f"the routine has {len(commands)} commands; {MOST_COMMANDS} are the most")
    return commands


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:20]
