"""Describe in words what callers keyed or said, and how callbacks were answered."""

from typing import Any

from connections_app.sift import routine
from connections_app.sift.commands import caller_input


def input_words(body: dict[str, Any]) -> str:
    """Return the caller's input in words: `“1234” was keyed`, `“yes” was said`, `nothing was heard`."""
    text = caller_input(body)
    if "digits" in body:
        return f"“{text}” was keyed" if text else "nothing was keyed"
    if text:
        return f"“{text}” was said"
    why = body.get("error")
    return f"nothing was heard ({why})" if isinstance(why, str) else "nothing was heard"


def routine_words(answer: Any) -> str:
    """Return the answer to a callback in words: its routine, or that there is nothing to do."""
    commands = answer.get("routine") if isinstance(answer, dict) else None
    if not commands:
        return "Answered with nothing to do."
    return f"Answered with a routine: {routine.preview(routine.check(commands))}"
