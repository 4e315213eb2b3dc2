"""Routines made up for tests: right ones from the JSON Schema, and any JSON at all."""

import re
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from connections_app.sift.placeholders import JSONObject
from connections_app.sift.routine import json_schema

# Neither controls nor surrogates, and no braces, which would begin a placeholder.
LETTERS = st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="{}")
TEXT = st.text(LETTERS, min_size=1, max_size=30)
FIELDS = st.sampled_from(
    sorted({name for one in json_schema()["$defs"].values() for name in one["properties"]})
)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)


def _any_json(leaves: SearchStrategy[Any]) -> SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text() | FIELDS, inside, max_size=5),
        max_leaves=20,
    )


any_json = _any_json(st.none() | st.booleans() | NUMBERS | st.text() | TEXT)
# What Python's own JSON takes beside.
any_value = any_json | _any_json(st.floats() | TEXT)


def valid_routines() -> SearchStrategy[Any]:
    """Lists of commands that are right by the schema, and by the two rules that it cannot say."""
    schema = json_schema()
    return made(schema, schema["$defs"]).map(lambda routine: [_by_the_rules(one) for one in routine])


def made(schema: JSONObject, definitions: JSONObject) -> SearchStrategy[Any]:
    """Values that are right by `schema`. Knows the keywords that our schema has."""
    if "$ref" in schema:
        return made(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "const" in schema:
        return st.just(schema["const"])
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return st.one_of([made(one, definitions) for one in schema[choice]])
    match schema["type"]:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(schema["minimum"], schema["maximum"])
        case "string":
            return _texts(schema)
        case "array":
            items = made(schema["items"], definitions)
            return st.lists(items, min_size=schema.get("minItems", 0), max_size=4)
        case "object" if "properties" in schema:
            return _objects(schema, definitions)
        case "object":
            names = made(schema["propertyNames"] | {"type": "string"}, definitions)
            values = made(schema["additionalProperties"], definitions)
            return st.dictionaries(names, values, min_size=schema.get("minProperties", 0), max_size=3)
    raise AssertionError(f"our schema has a keyword that this does not know: {schema}")


def _texts(schema: JSONObject) -> SearchStrategy[str]:
    pattern, longest = schema.get("pattern"), schema.get("maxLength", 50)
    if pattern is None or pattern == r"\S":
        return st.text(LETTERS, min_size=schema.get("minLength", 0), max_size=min(longest, 50)).filter(
            lambda text: pattern is None or re.search(pattern, text)
        )
    texts = st.from_regex(pattern, fullmatch=True, alphabet=LETTERS)
    # An address that carries a name and a password is refused, which no pattern says.
    return texts.filter(lambda text: len(text) <= longest and "@" not in text)


def _objects(schema: JSONObject, definitions: JSONObject) -> SearchStrategy[JSONObject]:
    fields = {name: made(one, definitions) for name, one in schema["properties"].items()}
    needed = {name: one for name, one in fields.items() if name in schema["required"]}
    optional = {name: one for name, one in fields.items() if name not in needed}
    objects = st.fixed_dictionaries(needed, optional=optional)
    if schema.get("additionalProperties") is not True:
        return objects
    # Other fields that are not documented may be there too.
    others = st.dictionaries(TEXT.filter(lambda name: name not in fields), TEXT, max_size=1)
    return st.builds(lambda one, more: more | one, objects, others)


def _by_the_rules(command: JSONObject) -> JSONObject:
    command = dict(command)
    if command.get("then"):
        command.pop("on_done", None)
    if command.get("processors"):
        command["do_record"] = True
    return command
