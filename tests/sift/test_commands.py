"""The one list of commands: each has a name for people, an icon that is there, and words of its own."""

from pathlib import Path

import pytest
from django.conf import settings

from connections_app.routines.fields import Widget, fields_of
from connections_app.sift.commands import COMMANDS, Command, Undocumented
from connections_app.sift.routine import json_schema

EVERY: list[type[Command]] = [*COMMANDS.values(), Undocumented]


@pytest.mark.parametrize("command", EVERY, ids=lambda command: command.__name__)
def test_each_has_a_label_and_an_icon_that_is_there(command: type[Command]) -> None:
    icons = Path(settings.NODE_MODULES, "@tabler/icons/icons/outline")
    assert (icons / f"{command.icon}.svg").exists()
    assert command.label


def test_no_two_are_called_the_same() -> None:
    assert len({command.label for command in EVERY}) == len(EVERY)


def test_the_schema_knows_each_by_its_name() -> None:
    named = json_schema()["items"]["discriminator"]["mapping"]
    assert named.keys() == COMMANDS.keys()


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "HangUp"])
def test_each_field_has_a_label_for_people(name: str) -> None:
    for field in fields_of(COMMANDS[name]):
        assert field.title[0].isupper()
        assert "_" not in field.title
        assert all(column.title for column in field.columns)


def test_forms_are_made_from_the_fields() -> None:
    digits = {field.name: field for field in fields_of(COMMANDS["GetDigits"])}
    assert [*digits] == ["count", "timeout_seconds", "prompt_url", "on_done", "then"]
    assert digits["count"].required
    assert (digits["count"].widget, digits["count"].keyboard) == (Widget.WHOLE, "numeric")
    assert digits["then"].widget == Widget.ANSWERS
    joins = {field.name: field for field in fields_of(COMMANDS["JoinConference"])}
    assert joins["live_scan"].widget == Widget.ROWS
    assert [column.name for column in joins["live_scan"].columns] == ["key", "query"]
    assert joins["processors"].widget == Widget.LINES
    assert joins["do_record"].widget == Widget.YES_OR_NO
    assert joins["conference_name"].longest == 255
    assert fields_of(COMMANDS["HangUp"]) == ()
