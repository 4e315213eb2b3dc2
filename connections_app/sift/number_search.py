"""Search texts for a phone number in any form that the form for placing calls accepts."""

import re
from collections.abc import Iterator
from contextlib import suppress

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

from connections_app.sift.numbers import ImpossibleNumber, e164, is_number, search_text

# Most numbers contain any shorter piece.
LEAST_DIGITS = 3
LONGEST_COUNTRY_CODE = 3  # digits
# The international prefix of most countries; people write it in all of them.
INTERNATIONAL = "00"


def search_texts(written: str, country: str) -> list[str]:
    """Return texts to search for: each endpoint that `written` may mean contains one of them.

    The first is `written` itself, without separators between digits if it is a number or part of one. The
    others begin with `+`. They cover numbers written as dialled within `country` (`GB`: `020 7946`), from
    there to another country (`00 44 20`), or with both (`+44 (0)20`).
    """
    literal = search_text(written)
    others = [*_from_its_beginning(literal, country), *_whole(written, country)] if literal else []
    texts = [literal]
    for text in sorted(set(others), key=len):
        is_long = sum(map(str.isdigit, text)) >= LEAST_DIGITS
        # Each endpoint that contains the longer text contains the shorter one.
        if is_long and not any(shorter in text for shorter in texts):
            texts.append(text)
    return texts


def _whole(written: str, country: str) -> Iterator[str]:
    with suppress(ImpossibleNumber):
        yield e164(written, country)


def _from_its_beginning(digits: str, country: str) -> Iterator[str]:
    """Yield the beginnings in E.164 of the numbers that begin with `digits`, with or without a `+`."""
    if not is_number(digits):
        return
    metadata = PhoneMetadata.metadata_for_region(country, None)
    number = digits.removeprefix("+") if digits.startswith("+") else _after_exit_code(digits, metadata)
    if number is not None:
        yield f"+{number}"
        yield from _without_trunk_prefix(number)
    elif metadata and metadata.national_prefix and digits.startswith(metadata.national_prefix):
        yield f"+{metadata.country_code}{digits.removeprefix(metadata.national_prefix)}"


def _after_exit_code(digits: str, metadata: PhoneMetadata | None) -> str | None:
    """Return what follows the international prefix; None if there is no such prefix."""
    own = metadata.international_prefix if metadata else None
    found = re.match(own, digits) if own else None
    if found:
        return digits[found.end() :]
    return digits.removeprefix(INTERNATIONAL) if digits.startswith(INTERNATIONAL) else None


def _without_trunk_prefix(number: str) -> Iterator[str]:
    """Yield the number without the 0 that is dialled only within its country, as in `+44 (0)20`."""
    for length in range(1, LONGEST_COUNTRY_CODE + 1):
        code = number[:length]
        regions = COUNTRY_CODE_TO_REGION_CODE.get(int(code)) if len(code) == length else None
        metadata = PhoneMetadata.metadata_for_region(regions[0], None) if regions else None
        prefix = metadata.national_prefix if metadata else None
        if prefix and prefix.startswith("0") and number.startswith(code + prefix):
            yield f"+{code}{number.removeprefix(code + prefix)}"
