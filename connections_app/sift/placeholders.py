"""Find and fill the placeholders in the texts of a routine."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from connections_app.sift.numbers import ImpossibleNumber, e164

JSON = Any


JSONObject = dict[str, JSON]


LONGEST_VALUE = 200  # characters


LONGEST_DIGITS = 40  # characters of a number


IN_BRACES = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


INSIDE = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]{0,39})\s*(?:\|\s*([a-z]+)\s*)?", re.ASCII)


# NUL and lone surrogates, which PostgreSQL cannot store, and other control characters.
NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


NUMBER = re.compile(r"-?[0-9][0-9 .,]*", re.ASCII)


class Kind(StrEnum):
    """The kind of value that a placeholder takes: a line of text, a number, or a phone number."""

    TEXT = "text"
    NUMBER = "number"
    PHONE = "phone"


EXAMPLES = {Kind.TEXT: "example", Kind.NUMBER: "1", Kind.PHONE: "+14155550142"}


@dataclass(frozen=True, slots=True)
class Placeholder:
    name: str
    kind: Kind

    @property
    def label(self) -> str:
        """Return the name as people read it: `Customer name` for `customer_name`."""
        return self.name.replace("_", " ").strip().capitalize()


@dataclass(frozen=True, slots=True)
class Filled:
    """A routine with its placeholders filled, or the problem with each bad value by placeholder name.

    `values` are the values used; phone numbers are in E.164.
    """

    commands: list[JSONObject]
    values: Mapping[str, str]
    problems: Mapping[str, str]


def fill(commands: Sequence[JSONObject], values: Mapping[str, str], country: str) -> Filled:
    """Fill each placeholder in `commands`; phone numbers without a + belong to `country` (`US`)."""
    filled: dict[str, str] = {}
    problems: dict[str, str] = {}
    for placeholder in placeholders(commands):
        try:
            filled[placeholder.name] = _value(placeholder, values.get(placeholder.name, ""), country)
        except ValueError as error:
            problems[placeholder.name] = str(error)
    if problems:
        return Filled([], {}, problems)
    return Filled(_replaced(list(commands), lambda one: filled[one.name]), filled, {})


def placeholders(commands: Sequence[JSONObject]) -> tuple[Placeholder, ...]:
    """Return the placeholders in a list of commands, each once, in order."""
    found: dict[str, Placeholder] = {}
    for placeholder in _placeholders_in(list(commands)):
        found.setdefault(placeholder.name, placeholder)
    return tuple(found.values())


def with_examples(value: JSON) -> JSON:
    """Return `value` with each placeholder replaced by an example."""
    return _replaced(value, lambda placeholder: EXAMPLES[placeholder.kind])


def _placeholders_in(value: JSON) -> Iterator[Placeholder]:
    if isinstance(value, str):
        yield from filter(None, map(_placeholder, IN_BRACES.findall(value)))
    elif isinstance(value, list):
        for item in value:
            yield from _placeholders_in(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _placeholders_in(item)


def _placeholder(inside: str) -> Placeholder | None:
    """Return the placeholder for `name` or `name|kind` between the braces; None for anything else."""
    found = INSIDE.fullmatch(inside)
    if not found or found[2] not in (None, *Kind):
        return None
    return Placeholder(found[1], Kind(found[2] or Kind.TEXT))


def _replaced(value: JSON, by: Callable[[Placeholder], str]) -> JSON:
    if isinstance(value, str):

        def one(found: re.Match[str]) -> str:
            placeholder = _placeholder(found[1])
            return by(placeholder) if placeholder else found[0]

        return IN_BRACES.sub(one, value)
    if isinstance(value, list):
        return [_replaced(item, by) for item in value]
    if isinstance(value, dict):
        return {key: _replaced(item, by) for key, item in value.items()}
    return value


def _value(placeholder: Placeholder, typed: str, country: str) -> str:
    """Return the text to fill in. Raises ValueError with the problem, as a sentence."""
    text = typed.strip()
    if not text:
        raise ValueError(f"{placeholder.label} is missing.")
    if len(text) > LONGEST_VALUE:
        raise ValueError(f"{placeholder.label} is longer than {LONGEST_VALUE} characters.")
    if NOT_TEXT.search(text) or "\n" in text or "{{" in text or "}}" in text:
        raise ValueError(f"{placeholder.label} holds a character that cannot be used here.")
    match placeholder.kind:
        case Kind.NUMBER if not NUMBER.fullmatch(text) or len(text) > LONGEST_DIGITS:
            raise ValueError(f"{placeholder.label} must be a number.")
        case Kind.PHONE:
            try:
                return e164(text, country)
            except ImpossibleNumber as error:
                raise ValueError(f"{placeholder.label}: {error}.") from error
    return text
