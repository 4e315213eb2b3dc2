"""Convert a number or a client's name, as people write it, to the form that Sift uses."""

from connections_app.models.characters import is_seen
from connections_app.models.requests import CLIENT
from connections_app.sift.numbers import ImpossibleNumber, e164
from connections_app.sift.placeholders import NOT_TEXT

LONGEST_CLIENT = 255


class InvalidEndpoint(ValueError):
    """The text is neither a number nor a client; `str()` is the reason, as a sentence."""


def parse_endpoint(typed: str, country: str) -> str:
    """Return `+14155550142` or `webrtc:ana`. Raises `InvalidEndpoint`.

    Text with the prefix `webrtc:`, or with a letter first and no `tel:`, is a client; all else is a number,
    which belongs to `country` (`US`) if it has no `+`.
    """
    text = typed.strip()
    if text[: len(CLIENT)].lower() == CLIENT:
        return parse_client(text)
    if text[:4].lower() != "tel:" and text[:1].isalpha():
        if ":" in text:
            raise InvalidEndpoint("This is neither a number nor a client's name.")
        return parse_client(text)
    return parse_number(text, country)


def parse_number(typed: str, country: str) -> str:
    """Return the number in E.164. Raises `InvalidEndpoint`."""
    text = typed.strip()
    try:
        return e164(f"tel:{text[4:]}" if text[:4].lower() == "tel:" else text, country)
    except ImpossibleNumber as problem:
        raise InvalidEndpoint(f"This is not a number to call: {problem}.") from problem


def parse_client(typed: str) -> str:
    """Return the client as Sift writes it. Raises `InvalidEndpoint`."""
    text = typed.strip()
    name = (text[len(CLIENT) :] if text[: len(CLIENT)].lower() == CLIENT else text).strip()
    if not name:
        raise InvalidEndpoint("A client's name is missing.")
    if len(name) > LONGEST_CLIENT:
        raise InvalidEndpoint(f"A client's name has at most {LONGEST_CLIENT} characters.")
    if NOT_TEXT.search(name) or len(name.splitlines()) > 1:
        raise InvalidEndpoint("A client's name is one line of text.")
    if not is_seen(name):
        raise InvalidEndpoint("A client's name needs at least one character that can be seen.")
    return f"{CLIENT}{name}"
