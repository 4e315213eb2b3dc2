"""Cards, the forms of commands: convert commands to cards, and submitted cards to commands."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, takewhile

from connections_app.routines.fields import Field, InvalidInput, fields_of, read, typed
from connections_app.sift.commands import COMMANDS, Command, Undocumented
from connections_app.sift.placeholders import JSON
from connections_app.sift.routine import Unreadable, decoded, written

# The kinds of cards other than known commands: an unknown command, and JSON that is not a command.
UNKNOWN, NO_COMMAND = "", "-"
KIND, OTHERS = "kind", "others"


@dataclass(frozen=True, slots=True)
class Card:
    """One command as typed: `typed` has the texts by control name, `others` the other fields as JSON."""

    kind: str
    typed: Mapping[str, str] = field(default_factory=dict)
    others: str = ""

    @property
    def command(self) -> type[Command]:
        """The class of the command; `Undocumented` if it is not known."""
        return COMMANDS.get(self.kind, Undocumented)

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields that the form shows."""
        return () if self.kind == NO_COMMAND else fields_of(self.command)


def cards_of(commands: Iterable[JSON]) -> list[Card]:
    """Return a card for each command."""
    return [_card_of(item) for item in commands]


def typed_cards(data: Mapping[str, str]) -> list[Card]:
    """Return the cards of a submitted form; the controls of the first card begin with `c0-`."""
    by_card: dict[str, dict[str, str]] = {}
    for name, value in data.items():
        card, _, control = name.partition("-")
        if card[:1] == "c" and control:
            by_card.setdefault(card, {})[control] = value
    sent = (by_card.get(f"c{index}", {}) for index in count())
    return [
        Card(one.pop(KIND), others=one.pop(OTHERS, "").replace("\r\n", "\n"), typed=one)
        for one in takewhile(lambda one: KIND in one, sent)
    ]


def commands_of(cards: Sequence[Card]) -> tuple[list[JSON], dict[str, str]]:
    """Return the commands of `cards`, and what is wrong: a sentence by the control's name, `c0-others`."""
    commands: list[JSON] = []
    mistyped: dict[str, str] = {}
    for index, card in enumerate(cards):
        try:
            commands.append(_command_of(card))
        except InvalidInput as error:
            mistyped[f"c{index}-{error.control}"] = str(error)
    return commands, mistyped


def in_order(commands: Iterable[JSON]) -> list[JSON]:
    """Return the commands with their fields in the order of the forms: the database keeps no order."""
    return [_in_order(item) for item in commands]


def _in_order(item: JSON) -> JSON:
    if not isinstance(item, dict) or not isinstance(item.get("name"), str):
        return item
    fields = ("name", *(one.name for one in fields_of(COMMANDS.get(item["name"], Undocumented))))
    return {name: item[name] for name in fields if name in item} | item


def _card_of(item: JSON) -> Card:
    name = item.get("name") if isinstance(item, dict) else None
    if not isinstance(name, str):
        return Card(NO_COMMAND, others=written(item))
    kind = name if name in COMMANDS else UNKNOWN
    others = dict(item)
    shown: dict[str, str] = {}
    for one in fields_of(COMMANDS.get(name, Undocumented)):
        if (values := typed(one, item.get(one.name))) is not None:
            shown |= values
            others.pop(one.name, None)
    if kind:
        del others["name"]
    return Card(kind, shown, written(others) if others else "")


def _command_of(card: Card) -> JSON:
    """Return the command of a card. Raises `InvalidInput`."""
    if card.kind == NO_COMMAND:
        return _json(card.others)
    others = _json(card.others) if card.others.strip() else {}
    if not isinstance(others, dict):
        raise InvalidInput(OTHERS, "Write the other fields as an object, in { }.")
    values = dict(_values(card))
    return {"name": card.kind} | values | others | values


def _values(card: Card) -> Iterator[tuple[str, JSON]]:
    for one in card.fields:
        if (value := read(one, card.typed)) is not None:
            yield one.name, value


def _json(text: str) -> JSON:
    try:
        return decoded(text)
    except Unreadable as error:
        raise InvalidInput(OTHERS, str(error)) from error
