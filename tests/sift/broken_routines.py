"""Commands that are right, and every way in which one can be wrong, with the words for it."""

from collections.abc import Iterator
from typing import Any

from connections_app.sift.routine import (
    DEEPEST,
    json_schema,
)

SOUND, ADDRESS = "https://media.example/hello.wav", "https://ours.example/done"
JOINED = {"do_record": True, "event_callback": ADDRESS, "live_scan": [{"key": "a", "query": "b"}]}
# One command of each name that is right, with every field that it has.
RIGHT: dict[str, dict[str, Any]] = {
    "Say": {"text": "Hello", "on_done": ADDRESS},
    "Play": {"sound_url": SOUND, "on_done": ADDRESS},
    "GetDigits": {"count": 4, "timeout_seconds": 8, "prompt_url": SOUND, "then": {"1": 7}},
    **{
        name: {"prompt": "Well?", "then": {"yes": 7, "any": 8, "": 9}}
        for name in ("GetNumber", "GetDate", "GetName", "GetYesOrNo", "GetMultipleChoice", "GetFreeResponse")
    },
    "JoinConference": {
        "conference_name": "room",
        "processors": ["transcribe"],
        "live_topics": True,
        **JOINED,
    },
    "CallPhone": {"phone_number": "+14155550142", "live_talk_times": False, **JOINED},
    "CallClient": {"client_name": "ana", "live_transcripts": True, "live_emotion": None, **JOINED},
    "HangUp": {},
}
OPEN = {"GetNumber", "GetDate", "GetName", "GetYesOrNo", "GetMultipleChoice", "GetFreeResponse"}
Broken = tuple[Any, str]


def right(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name} | RIGHT[name] | fields


def without(command: dict[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in command.items() if name != field}


def broken() -> Iterator[Broken]:
    """Commands with one thing wrong, and the field that it is."""
    for name in RIGHT:
        yield from broken_as(name)
    yield from ((item, "") for item in NO_COMMANDS)
    yield from (({"name": name, "text": "Hello"}, "name") for name in NO_NAMES)
    yield {"text": "Hello"}, "name"
    yield {}, "name"


def broken_as(name: str) -> Iterator[Broken]:
    """`name` with each of its fields wrong in each way that the schema knows."""
    described = json_schema()["$defs"][name]
    for field, schema in described["properties"].items():
        if field == "name":
            continue
        if field in described["required"]:
            yield without(right(name), field), field
            yield right(name, **{field: None}), field
        shape = next(one for one in schema.get("anyOf", [schema]) if one.get("type") != "null")
        yield from ((right(name, **{field: value}), where) for value, where in wrong_values(field, shape))
    if name not in OPEN:
        yield right(name, loud=True), "loud"
        yield right(name, **{"on_event": ADDRESS}), "on_event"
        yield right(name, **{"": 1}), ""
    yield right(name, **{"a\x00b": 1}), "name"
    yield right(name, **{"odd": {"deep": ["fine", "a\x00b"]}}), "odd.deep[2]"
    yield right(name, odd=deep(DEEPEST)), "odd" + "[1]" * DEEPEST
    yield right(name, odd=10**19), "odd"
    yield right(name, odd=float("inf")), "odd"
    yield right(name, odd=float("nan")), "odd"
    yield right(name, odd="{{ 1st }}"), "odd"
    yield right(name, odd="{{ name|colour }}"), "odd"


def wrong_values(field: str, shape: dict[str, Any]) -> Iterator[Broken]:
    if "$ref" in shape:
        return
    types = {"string": "x", "integer": 3, "boolean": True, "array": [1], "object": {"x": 1}, "number": 1.5}
    fits = {shape["type"], *({"number"} if shape["type"] == "number" else ())}
    yield from ((value, field) for kind, value in types.items() if kind not in fits and kind != "array")
    match shape["type"]:
        case "string":
            yield from (
                (value, field) for value in ("", "\ud800", "a\x00b", "x" * (shape.get("maxLength", 60) + 1))
            )
            yield "\x07", field
            if "pattern" in shape:
                yield " \n ", field
            if shape.get("pattern", "").startswith("^http"):
                yield from ((value, field) for value in ADDRESSES_THAT_ARE_NONE)
            if "wav" in shape.get("pattern", ""):
                yield from ((value, field) for value in SOUNDS_THAT_ARE_NONE)
            if shape.get("pattern", "").startswith(r"^\+"):
                yield from ((value, field) for value in NUMBERS_THAT_ARE_NONE)
        case "integer":
            yield from (
                (value, field) for value in (shape["minimum"] - 1, shape["maximum"] + 1, 10**19, "4", 4.0)
            )
        case "array" if "$ref" in shape["items"]:
            yield from wrong_rows(field, shape["maxItems"])
        case "array":
            yield ["x"] * (shape["maxItems"] + 1), field
            yield ["x", 1], f"{field}[2]"
            yield ["x", ""], f"{field}[2]"
            yield [" "], f"{field}[1]"
            yield ["x", "y" * 256], f"{field}[2]"
        case "object":
            yield {}, field
            yield [7], field
            yield {str(answer): 7 for answer in range(shape["maxProperties"] + 1)}, field
            yield {"1": "7"}, f"{field}.1"
            yield {"1": 7, "2": 0}, f"{field}.2"
            yield {"1": 2**31}, f"{field}.1"
            yield {"1": None}, f"{field}.1"
            yield {"1": True}, f"{field}.1"
            yield {"x" * 101: 7}, f"{field}.{'x' * 101}"


def wrong_rows(field: str, most: int) -> Iterator[Broken]:
    row = {"key": "a", "query": "b"}
    yield row, field
    yield [row] * (most + 1), field
    yield [row, "x"], f"{field}[2]"
    yield [row, {"query": "b"}], f"{field}[2].key"
    yield [row, {"key": "a"}], f"{field}[2].query"
    yield [{"key": 1, "query": "b"}], f"{field}[1].key"
    yield [{"key": "a", "query": ""}], f"{field}[1].query"
    yield [{"key": "a", "query": "x" * 5_001}], f"{field}[1].query"
    yield [row, row | {"loud": 1}], f"{field}[2].loud"
    yield [row | {"key": "a\x00"}], f"{field}[1].key"


ADDRESSES_THAT_ARE_NONE = (
    "ours.example/x.wav",
    "ftp://ours.example/x.wav",
    "https://",
    "https:///x.wav",
    "javascript:alert(1)//x.wav",
    "https://ours.example/a b.wav",
    "https://ana:secret@ours.example/x.wav",
    "https://ana@ours.example/x.wav",
    " https://ours.example/x.wav",
    "https://ours.example/x.wav\n",
)
SOUNDS_THAT_ARE_NONE = (
    "https://ours.example/hello",
    "https://ours.example/hello.ogg",
    "https://ours.example?x.wav",
)
NUMBERS_THAT_ARE_NONE = (
    "14155550142",
    "+0155550142",
    "+1 415 555 0142",
    "+1415555014212345",
    "+1",
    "+1415x550142",
)


NO_COMMANDS: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, "", "Say", [], [[]], [None], ["Say"]),
    [{"name": "HangUp"}],
)
NO_NAMES: tuple[Any, ...] = (
    *(None, 1, True, [], {}, "", "  ", ["Say"], {"name": "Say"}),
    *("Say\x00", "S\ud800y", "x" * 256, "{{ x }}"),
)


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


BROKEN = list(broken())
