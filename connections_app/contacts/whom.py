"""Whom a contact is of: a number as people write it, or a client's name, made what Sift writes."""

from connections_app.models.sending import CLIENT
from connections_app.sift.numbers import ImpossibleNumber, e164
from connections_app.sift.routine import NOT_TEXT

LONGEST_CLIENT = 255


class Nobody(ValueError):
    """No number and no client can be what was written; `str()` says why, as a sentence."""


def endpoint_written(typed: str, country: str) -> str:
    """`+14155550142` or `webrtc:ana`. What begins with a letter is a client; `tel:` makes anything a number,
    `webrtc:` anything a client. A number without a `+` belongs to `country` (`US`). Raises `Nobody`.
    """
    text = typed.strip()
    if text[: len(CLIENT)].lower() == CLIENT:
        return client_written(text)
    if text[:4].lower() != "tel:" and text[:1].isalpha():
        if ":" in text:
            raise Nobody("This is neither a number nor a client's name.")
        return client_written(text)
    return number_written(text, country)


def number_written(typed: str, country: str) -> str:
    """The number in E.164. Raises `Nobody`."""
    text = typed.strip()
    try:
        return e164(f"tel:{text[4:]}" if text[:4].lower() == "tel:" else text, country)
    except ImpossibleNumber as problem:
        raise Nobody(f"This is not a number to call: {problem}.") from problem


def client_written(typed: str) -> str:
    """The client as Sift writes it. Raises `Nobody`."""
    text = typed.strip()
    name = (text[len(CLIENT) :] if text[: len(CLIENT)].lower() == CLIENT else text).strip()
    if not name:
        raise Nobody("A client's name is missing.")
    if len(name) > LONGEST_CLIENT:
        raise Nobody(f"A client's name has at most {LONGEST_CLIENT} characters.")
    if NOT_TEXT.search(name) or len(name.splitlines()) > 1:
        raise Nobody("A client's name is one line of text.")
    return f"{CLIENT}{name}"
