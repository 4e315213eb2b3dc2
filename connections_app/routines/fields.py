"""The form fields of each command, derived from its schema, and their values as typed."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from itertools import count

from connections_app.sift.commands import ANYTHING_ELSE, LONGEST_URL, NOTHING_HEARD, Command, quoted
from connections_app.sift.placeholders import JSON, NOT_TEXT, JSONObject

WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
YES_OR_NO = {True: "true", False: "false"}
LONGEST_ANSWER = 100
# The answers that have a line of their own in the form, with the name of its control.
SPECIAL_ANSWERS = {ANYTHING_ELSE: "any", NOTHING_HEARD: "none"}

# Typed texts by the name of the control: `text`, `live_scan-0-key`, `then-any`.
TypedTexts = Mapping[str, str]


class Widget(StrEnum):
    """The kinds of form controls."""

    LINE = "line"
    TEXT = "text"
    WHOLE = "whole"
    YES_OR_NO = "yes_or_no"
    LINES = "lines"
    ROWS = "rows"
    ANSWERS = "answers"
    ROUTINE = "routine"


WIDE = (Widget.LINES, Widget.ROWS, Widget.ANSWERS)


class InvalidInput(ValueError):
    """The typed text is not a value; `str()` is the reason, as a sentence."""

    def __init__(self, control: str, words: str) -> None:
        super().__init__(words)
        self.control = control


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a command, or one column of a field of rows."""

    name: str
    title: str
    description: str
    required: bool
    widget: Widget
    longest: int | None = None
    keyboard: str = ""
    columns: tuple["Field", ...] = ()


ANSWER_COLUMNS = (
    Field("answer", "Answer", "", True, Widget.LINE, LONGEST_ANSWER),
    Field("routine", "Goes on with", "", True, Widget.ROUTINE),
)
ANSWER_SPECIALS = (
    Field("any", "Anything else", "", False, Widget.ROUTINE),
    Field("none", "Nothing heard", "", False, Widget.ROUTINE),
)


@cache
def fields_of(command: type[Command]) -> tuple[Field, ...]:
    """Return the fields of a command: required ones first, its own before shared ones, wide ones last."""
    schema = command.model_json_schema()

    def order(field: Field) -> tuple[bool, bool, int]:
        owners = (field.name in vars(kind).get("__annotations__", {}) for kind in command.__mro__)
        return not field.required, field.widget in WIDE, list(owners).index(True)

    return tuple(sorted(_fields(schema, schema.get("$defs", {})), key=order))


def typed(field: Field, value: JSON) -> dict[str, str] | None:
    """Return `value` as typed, by the names of its controls, or None if the form cannot show it."""
    if value is None or value == "":
        return {}
    try:
        shown = _typed(field, value)
        same = _canonical(read(field, shown)) == _canonical(value)
    except (InvalidInput, TypeError, ValueError, KeyError, AttributeError):
        return None
    return shown if same and all(_survives(field, text) for text in shown.values()) else None


def read(field: Field, shown: TypedTexts) -> JSON:
    """Return the typed value, or None if nothing is typed. Raises `InvalidInput`."""
    text = shown.get(field.name, "").replace("\r\n", "\n")
    match field.widget:
        case Widget.LINE:
            return text.strip() or None
        case Widget.TEXT:
            return text or None
        case Widget.WHOLE:
            return _whole(text.strip())
        case Widget.YES_OR_NO:
            return {word: value for value, word in YES_OR_NO.items()}.get(text)
        case Widget.LINES:
            return [line.strip() for line in text.split("\n") if line.strip()] or None
        case Widget.ROWS:
            return list(_rows(field, shown)) or None
        case Widget.ANSWERS:
            return _answers(field.name, shown) or None


def rows_typed(name: str, columns: tuple[str, ...], shown: TypedTexts) -> list[list[str]]:
    """Return the rows of a field as typed, including empty ones."""
    rows = []
    for index in count():
        names = [f"{name}-{index}-{column}" for column in columns]
        if not any(name in shown for name in names):
            break
        rows.append([shown.get(name, "") for name in names])
    return rows


def _fields(schema: JSONObject, definitions: JSONObject) -> Iterator[Field]:
    for name, described in schema["properties"].items():
        if "const" in described:
            continue
        shape = next(one for one in described.get("anyOf", [described]) if one.get("type") != "null")
        widget = _widget(shape)
        yield Field(
            name,
            described["title"],
            described.get("description", ""),
            name in schema["required"],
            widget,
            shape.get("maxLength"),
            _keyboard(shape),
            tuple(_columns(widget, shape, definitions)),
        )


def _columns(widget: Widget, shape: JSONObject, definitions: JSONObject) -> Iterator[Field]:
    if widget == Widget.ANSWERS:
        yield from ANSWER_COLUMNS
    if widget == Widget.ROWS:
        row = definitions[shape["items"]["$ref"].rpartition("/")[2]]
        yield from (replace(column, widget=Widget.LINE) for column in _fields(row, definitions))


def _widget(shape: JSONObject) -> Widget:
    match shape["type"]:
        case "boolean":
            return Widget.YES_OR_NO
        case "integer":
            return Widget.WHOLE
        case "array":
            return Widget.ROWS if "$ref" in shape["items"] else Widget.LINES
        case "object":
            return Widget.ANSWERS
        case _:
            return Widget.TEXT if shape.get("maxLength", 0) > LONGEST_URL else Widget.LINE


def _keyboard(shape: JSONObject) -> str:
    """Return the `inputmode` of the control, which selects a phone's keyboard."""
    pattern = shape.get("pattern", "")
    if shape["type"] == "integer":
        return "numeric"
    return "url" if pattern.startswith("^http") else "tel" if pattern.startswith(r"^\+") else ""


def _survives(field: Field, text: str) -> bool:
    """Return True if a browser sends `text` back unchanged."""
    several_lines = field.widget in (Widget.TEXT, Widget.LINES)
    return not (NOT_TEXT.search(text) or "\r" in text or ("\n" in text and not several_lines))


def _typed(field: Field, value: JSON) -> dict[str, str]:
    match field.widget:
        case Widget.YES_OR_NO:
            return {field.name: YES_OR_NO[value]}
        case Widget.LINES:
            return {field.name: "\n".join(value)}
        case Widget.ROWS:
            return {
                f"{field.name}-{index}-{column.name}": row.get(column.name, "")
                for index, row in enumerate(value)
                for column in field.columns
            }
        case Widget.ANSWERS:
            return dict(_answers_typed(field.name, value))
        case Widget.WHOLE:
            return {field.name: str(value)}
        case _:
            return {field.name: value}


def _answers_typed(name: str, then: JSONObject) -> Iterator[tuple[str, str]]:
    rows = count()
    for answer, routine in then.items():
        chosen = "" if routine is None else str(routine)
        if answer in SPECIAL_ANSWERS:
            yield f"{name}-{SPECIAL_ANSWERS[answer]}", chosen
        else:
            index = next(rows)
            yield f"{name}-{index}-answer", answer
            yield f"{name}-{index}-routine", chosen


def _whole(text: str) -> int | str | None:
    return int(text) if WHOLE_NUMBER.fullmatch(text) else text or None


def _rows(field: Field, shown: TypedTexts) -> Iterator[JSONObject]:
    names = tuple(column.name for column in field.columns)
    for cells in filter(any, rows_typed(field.name, names, shown)):
        row = dict(zip(names, cells, strict=True))
        values = {column.name: read(column, row) for column in field.columns}
        yield {name: value for name, value in values.items() if value is not None}


def _answers(name: str, shown: TypedTexts) -> JSONObject:
    then: JSONObject = {}
    rows = [row for row in rows_typed(name, ("answer", "routine"), shown) if any(row)]
    special = ((answer, shown.get(f"{name}-{word}", "")) for answer, word in SPECIAL_ANSWERS.items())
    if any(not answer for answer, _ in rows):
        raise InvalidInput(name, "Say which answer goes on with this routine.")
    for answer, routine in [*rows, *((answer, chosen) for answer, chosen in special if chosen)]:
        if answer in then:
            raise InvalidInput(name, f"There are two lines for the answer {quoted(answer)}.")
        then[answer] = _whole(routine)
    return then


def _canonical(value: JSON) -> str:
    return json.dumps(value, sort_keys=True)
