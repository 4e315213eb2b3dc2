"""What callers keyed or said, and what callbacks were answered, in words."""

from typing import Any

from connections_app.sift import routine
from connections_app.sift.commands import heard


def heard_words(body: dict[str, Any]) -> str:
    """`“1234” was keyed`, `“yes” was said`, `nothing was heard`."""
    text = heard(body)
    if "digits" in body:
        return f"“{text}” was keyed" if text else "nothing was keyed"
    if text:
        return f"“{text}” was said"
    why = body.get("error")
    return f"nothing was heard ({why})" if isinstance(why, str) else "nothing was heard"


def routine_words(answer: Any) -> str:
    """What a callback was answered: the routine in words, or that nothing is to be done."""
    commands = answer.get("routine") if isinstance(answer, dict) else None
    if not commands:
        return "Answered with nothing to do."
    return f"Answered with a routine: {routine.preview(routine.check(commands))}"
