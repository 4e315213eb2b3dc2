"""Check the commands of a routine and their fields."""

import re
from typing import Any

from sandbox.settings import is_url

Command = dict[str, Any]

E164 = re.compile(r"\+[1-9]\d{6,14}")
SPEECH = ("GetNumber", "GetDate", "GetName", "GetYesOrNo", "GetMultipleChoice", "GetFreeResponse")
# The required field of each command. Other names are accepted: Sift may have commands that we do not know.
REQUIRED = {
    "Say": "text",
    "Play": "sound_url",
    "GetDigits": "count",
    "JoinConference": "conference_name",
    "CallPhone": "phone_number",
    "CallClient": "client_name",
}
URLS = ("sound_url", "prompt_url", "on_done", "event_callback")


class Invalid(ValueError):
    """Sift would not accept this routine; the message states where and why."""


def check(routine: Any) -> list[Command]:
    """Return the routine if each command has its required fields. Raises `Invalid`."""
    if not isinstance(routine, list):
        raise Invalid("routine: a list of commands is required.")
    for place, command in enumerate(routine):
        _check_command(f"routine[{place}]", command)
    return routine


def _check_command(place: str, command: Any) -> None:
    if not isinstance(command, dict) or not isinstance(command.get("name"), str):
        raise Invalid(f"{place}: an object with a name is required.")
    field = REQUIRED.get(command["name"])
    if field and not _fills(field, command.get(field)):
        raise Invalid(f"{place}.{field}: required by {command['name']}.")
    for name in URLS:
        if command.get(name) is not None and not is_url(command[name]):
            raise Invalid(f"{place}.{name}: not a URL.")
    if not _is_timeout(command.get("timeout_seconds")):
        raise Invalid(f"{place}.timeout_seconds: not a number of seconds.")


def _fills(field: str, value: Any) -> bool:
    match field:
        case "count":
            return isinstance(value, int) and not isinstance(value, bool) and value >= 1
        case "phone_number":
            return is_number(value)
    return isinstance(value, str) and bool(value.strip())


def _is_timeout(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool) and value > 0)


def is_number(value: Any) -> bool:
    """Return True for a phone number in E.164."""
    return isinstance(value, str) and E164.fullmatch(value) is not None
