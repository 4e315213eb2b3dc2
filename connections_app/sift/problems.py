"""Describe what is wrong with a command."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from connections_app.sift.commands import (
    OLDER_NAMES,
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of a routine and its place; `position` counts commands from 1, None for the whole list."""

    words: str
    position: int | None = None
    command: str = ""
    field: str = ""

    def __str__(self) -> str:
        if self.position is None:
            return f"{self.words[:1].upper()}{self.words[1:]}."
        named = f" ({self.command})" if self.command else ""
        return f"Command {self.position}{named}{f', {self.field}' if self.field else ''}: {self.words}."


def _in_words(position: int, name: str, error: ValidationError) -> Iterator[Problem]:
    for detail in error.errors(include_url=False, include_context=True):
        field, words = _field_and_words(detail)
        yield Problem(words, position, name, field)


def _field_and_words(detail: ErrorDetails) -> tuple[str, str]:
    """Return the field with the problem, and its description: `live_scan[2].query`, `is missing`."""
    field = ""
    for step in detail["loc"]:
        if isinstance(step, int):
            field += f"[{step + 1}]"
        elif step != "[key]":
            field += f".{step}" if field else str(step)
    if not field and ": " in detail["msg"]:
        field, _, words = detail["msg"].partition(": ")
        return field, words
    return field, _words(detail, field)


def _words(detail: ErrorDetails, field: str) -> str:
    limits = detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            newer = OLDER_NAMES.get(field)
            return f"is called {newer} now" if newer else "is not a field of this command"
        case "string_type" | "string_sub_type" | "string_unicode":
            return "must be a text"
        case "string_too_short":
            return "is empty"
        case "string_too_long":
            return f"is longer than {limits['max_length']:,} characters"
        case "string_pattern_mismatch":
            return _unlike(field)
        case "int_type" | "int_from_float" | "int_parsing_size":
            return "must be a whole number"
        case "bool_type":
            return "must be true or false"
        case "list_type":
            return "must be a list"
        case "dict_type" | "model_type":
            return "must be an object"
        case "greater_than_equal":
            return f"is smaller than {limits['ge']}"
        case "less_than_equal":
            return f"is larger than {limits['le']}"
        case "too_long":
            return f"has more than {limits['max_length']} entries"
        case "too_short":
            return "is empty"
    return detail["msg"][:1].lower() + detail["msg"][1:]


def _unlike(field: str) -> str:
    match field.rpartition(".")[2]:
        case "phone_number":
            return "must be a phone number in full, such as +14155550142"
        case "sound_url" | "prompt_url":
            return "must be the address of a .wav or .mp3 file, beginning with https:// or http://"
        case "on_done" | "event_callback":
            return "must be an address beginning with https:// or http://"
    return "is empty"
