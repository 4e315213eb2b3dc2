"""List invisible characters, and check that a name has visible ones."""

import re
import unicodedata

from django.core.exceptions import ValidationError

# Marks that change the direction of the text around them.
DIRECTIONS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
# Control characters except tabs and line ends, soft hyphens, joiners that do not join letters, fillers that
# count as letters, the empty braille pattern, annotation marks, and tags.
OTHERS = (
    "\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\xad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2028\u2029\u2060-\u2065"
    "\u206a-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f"
)
# The joiners U+200C and U+200D and variation selectors are not here: Persian, Hindi and emoji need them.
UNSEEN = re.compile(f"[{DIRECTIONS}{OTHERS}]")
NO_NAME = "A name needs at least one character that can be seen."


def is_seen(text: str) -> bool:
    """Return True if `text` has at least one visible letter, digit, punctuation mark or symbol."""
    return any(unicodedata.category(one)[0] in "LNPS" and not UNSEEN.match(one) for one in text)


def check_is_seen(text: str) -> None:
    """Raise `ValidationError` if a name is not empty and has no visible character."""
    if text and not is_seen(text):
        raise ValidationError(NO_NAME)


def check_are_seen(names: dict[str, str | None]) -> None:
    """Raise `ValidationError`, by field, for each non-empty one of `names` without a visible character."""
    unseen = {field: [NO_NAME] for field, name in names.items() if name and not is_seen(name)}
    if unseen:
        raise ValidationError(unseen)
