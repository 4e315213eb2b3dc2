"""Read, check and describe a routine, a list of commands, and prepare it for Sift.

The texts of a stored routine may hold placeholders, `{{ name }}` or `{{ name|phone }}`, which are filled when
it is used. Until then it is checked with an example in place of each.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from math import isfinite
from typing import Annotated, Any, NoReturn

from pydantic import Field, TypeAdapter, ValidationError

from connections_app.sift.commands import (
    ANYTHING_ELSE,
    COMMANDS,
    LONGEST_NAME,
    NOTHING_HEARD,
    Command,
    Input,
    SpeechInput,
    Undocumented,
    quoted,
)
from connections_app.sift.placeholders import (
    IN_BRACES,
    JSON,
    NOT_TEXT,
    JSONObject,
    Placeholder,
    _placeholder,
    _placeholders_in,
    _replaced,
    placeholders,
    with_examples,
)
from connections_app.sift.problems import Problem, _in_words

MOST_COMMANDS = 100
LARGEST_BYTES = 64 * 1024
# Levels of nesting: in a command that can be sent, and in JSON that is looked at.
DEEPEST = 20
DEEPEST_READ = 100
LARGEST_NUMBER = 10**18


class Unreadable(ValueError):
    """The text is not JSON, or is too large or too deep; `str()` is the reason, as a sentence."""

    def __init__(self, words: str) -> None:
        self.problem = Problem(words)
        super().__init__(str(self.problem))


@dataclass(frozen=True, slots=True)
class Routine:
    """A checked list of commands.

    `source` is the list as given; `commands` are its commands with examples in place of placeholders, empty
    if there are `problems`. `warnings` name unknown commands, which only a supervisor may send; `notes` name
    undocumented fields.
    """

    source: tuple[JSONObject, ...] = ()
    commands: tuple[Command, ...] = ()
    placeholders: tuple[Placeholder, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()

    @property
    def dials(self) -> bool:
        """Return True if a command calls somebody, so that Sift must receive the routine only once."""
        return any(command.dials for command in self.commands)

    @property
    def continuations(self) -> frozenset[int]:
        """Return the ids of the saved routines that may continue after an answer."""
        inputs = (command for command in self.commands if isinstance(command, Input))
        return frozenset(pk for command in inputs for pk in (command.then or {}).values())


def read(text: str) -> Routine:
    """Return the routine in the JSON `text`, checked. Never raises."""
    try:
        return check(decoded(text))
    except Unreadable as error:
        return Routine(problems=(error.problem,))


def decoded(text: str) -> JSON:
    """Decode the JSON `text`, without checking the routine in it. Raises `Unreadable`."""
    if len(text.encode(errors="replace")) > LARGEST_BYTES:
        raise Unreadable(f"the JSON is larger than {LARGEST_BYTES // 1024} KB")
    try:
        value = json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise Unreadable(f"this is not JSON: {_where(error)}") from error
    except (ValueError, RecursionError) as error:
        raise Unreadable("this is not JSON that Sift could read") from error
    if _depth(value) > DEEPEST_READ:
        raise Unreadable("the JSON is nested too deeply")
    return value


def written(value: JSON) -> str:
    """Return `value` as JSON, indented unless that is too long, with control characters escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    if len(text.encode(errors="replace")) > LARGEST_BYTES:
        text = json.dumps(value, ensure_ascii=False)
    return NOT_TEXT.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def check(value: JSON) -> Routine:
    """Check a decoded list of commands. Never raises, whatever it holds."""
    if problem := _problem_with_list(value):
        return Routine(problems=(problem,))
    problems: list[Problem] = []
    warnings: list[Problem] = []
    notes: list[Problem] = []
    commands: list[Command] = []
    for position, item in enumerate(value, start=1):
        if found := list(_problems_before(position, item)):
            problems += found
            continue
        name = item["name"]
        try:
            command = COMMANDS.get(name, Undocumented).model_validate(with_examples(item))
        except ValidationError as error:
            problems += _in_words(position, name, error)
            continue
        commands.append(command)
        if isinstance(command, Undocumented):
            warnings.append(Problem("this command is not known here", position, name, "name"))
        elif isinstance(command, SpeechInput):
            notes += [
                Problem("this field is not documented", position, name, field)
                for field in (command.model_extra or {})
            ]
    problems += _clashes(value)
    if problems:
        return Routine(problems=tuple(sorted(problems, key=lambda one: one.position or 0)))
    return Routine(
        tuple(value), tuple(commands), placeholders(value), warnings=tuple(warnings), notes=tuple(notes)
    )


def preview(routine: Routine, names: Mapping[int, str] | None = None) -> str:
    """Return what it does in one sentence: `Says “Hello”, then asks for 4 digits, then hangs up.`

    Placeholders appear as `{name}`; `names` maps the ids of the saved routines that continue to their names.
    """
    sentence = ", then ".join(clauses(routine, names))
    return f"{sentence[0].upper()}{sentence[1:]}." if sentence else ""


def clauses(routine: Routine, names: Mapping[int, str] | None = None) -> list[str]:
    """Return the parts of that sentence, a clause for each command; none if the routine has problems."""
    return [f"{_readable(item)}{_continues(_readable(item), names or {})}" for item in routine.source]


def for_sift(routine: Routine, address_of: Callable[[int], str]) -> list[JSONObject]:
    """Return the list as it is sent to Sift.

    An input command without `on_done` gets `address_of(position)`; an operator's own is kept. `do_record` of
    a conversation is always included. The routine must have no problems and no placeholders.
    """
    sent = []
    for position, command in enumerate(routine.commands, start=1):
        item = command.for_sift()
        if isinstance(command, Input) and command.on_done is None:
            item["on_done"] = address_of(position)
        sent.append(item)
    return sent


@cache
def json_schema() -> JSONObject:
    """Return the JSON Schema of a routine whose placeholders are filled."""
    known: Any = None
    for command in COMMANDS.values():
        known = command if known is None else known | command
    adapter = TypeAdapter(
        Annotated[
            list[Annotated[known, Field(discriminator="name")]], Field(min_length=1, max_length=MOST_COMMANDS)
        ]
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Routine",
    } | adapter.json_schema()


def _no_number(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    return number if isfinite(number) else _no_number(digits)


def _depth(value: JSON) -> int:
    """Return the greatest depth of nested lists and objects."""
    depth, inside = 0, [value]
    while inside:
        depth += 1
        inside = [
            one
            for part in inside
            if isinstance(part, list | dict)
            for one in (part.values() if isinstance(part, dict) else part)
        ]
    return depth - 1


def _where(error: json.JSONDecodeError) -> str:
    return f"{error.msg[:1].lower()}{error.msg[1:]}, in line {error.lineno}, column {error.colno}"


def _problem_with_list(value: JSON) -> Problem | None:
    if not isinstance(value, list):
        return Problem("a routine is a list of commands, in [ ]")
    if not value:
        return Problem("the routine has no commands")
    if len(value) > MOST_COMMANDS:
        return Problem(f"the routine has {len(value)} commands; {MOST_COMMANDS} are the most")
    if _depth(value) > DEEPEST_READ:
        return Problem("the routine is nested too deeply")
    return None


def _problems_before(position: int, item: JSON) -> Iterator[Problem]:
    """Yield problems that prevent the check of the command's own fields."""
    if not isinstance(item, dict):
        yield Problem("a command is an object, in { }", position)
        return
    name = item.get("name")
    if not isinstance(name, str) or not name.strip():
        yield Problem("is missing" if name is None else "must be the name of a command", position, "", "name")
        return
    if len(name) > LONGEST_NAME or NOT_TEXT.search(name) or IN_BRACES.search(name):
        yield Problem("must be the name of a command", position, "", "name")
        return
    for path, problem in _texts(item, "", 0):
        yield Problem(problem, position, name, path)


def _texts(value: JSON, path: str, depth: int) -> Iterator[tuple[str, str]]:
    """Yield (path, problem) for each value that cannot be sent and each `{{…}}` that is not a placeholder."""
    if depth > DEEPEST:
        yield path, "is nested too deeply"
    elif isinstance(value, str):
        if NOT_TEXT.search(value):
            yield path, "holds a character that cannot be sent"
        for inside in IN_BRACES.findall(value):
            if not _placeholder(inside):
                yield path, f"{quoted('{{' + inside + '}}')} is not a placeholder; write {{{{ name }}}}"
    elif isinstance(value, list):
        for index, item in enumerate(value, start=1):
            yield from _texts(item, f"{path}[{index}]", depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            if NOT_TEXT.search(key):
                yield path or "name", "holds a character that cannot be sent"
            else:
                yield from _texts(item, f"{path}.{key}" if path else key, depth + 1)
    elif isinstance(value, int | float) and not abs(value) <= LARGEST_NUMBER:
        yield path, "is too large a number"


def _clashes(value: JSON) -> Iterator[Problem]:
    """Yield a problem for each placeholder that is used with two different kinds."""
    found: dict[str, Placeholder] = {}
    for position, item in enumerate(value, start=1):
        for placeholder in _placeholders_in(item):
            known = found.setdefault(placeholder.name, placeholder)
            if known.kind != placeholder.kind:
                words = f"{placeholder.name} is a {known.kind} here and a {placeholder.kind} there"
                yield Problem(words, position, _name_of(item))


def _readable(item: JSONObject) -> Command:
    """Return the command, unchecked, with each placeholder as `{name}`."""
    kind = COMMANDS.get(item["name"], Undocumented)
    fields = {name: value for name, value in item.items() if name in kind.model_fields}
    return kind.model_construct(**_replaced(fields, lambda placeholder: f"{{{placeholder.name}}}"))


def _continues(command: Command, names: Mapping[int, str]) -> str:
    then = getattr(command, "then", None)
    if not then:
        return ""
    others = {ANYTHING_ELSE: "anything else", NOTHING_HEARD: "nothing"}
    answers = [*(one for one in then if one not in others), *(one for one in others if one in then)]
    lines = (
        f"{others.get(answer, quoted(answer))} → {names.get(then[answer], f'routine {then[answer]}')}"
        for answer in answers
    )
    return f" ({', '.join(lines)})"


def _name_of(item: JSON) -> str:
    return str(item.get("name", "")) if isinstance(item, dict) else ""
