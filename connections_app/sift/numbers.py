"""Phone numbers as people type them, made into what Sift takes."""

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

LONGEST_TYPED = 60
NOT_POSSIBLE = {
    ValidationResult.TOO_SHORT: "it is too short",
    ValidationResult.TOO_LONG: "it is too long",
    ValidationResult.INVALID_LENGTH: "no number there has this length",
    ValidationResult.INVALID_COUNTRY_CODE: "no country has this code",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "the area code is missing",
}
NOT_READ = {
    NumberParseException.INVALID_COUNTRY_CODE: "no country has this code",
    NumberParseException.NOT_A_NUMBER: "it is not a phone number",
    NumberParseException.TOO_SHORT_AFTER_IDD: "it is too short",
    NumberParseException.TOO_SHORT_NSN: "it is too short",
    NumberParseException.TOO_LONG: "it is too long",
}
# Digits and what people put between them.
WRITTEN_NUMBER = re.compile(r"\+?[\d\s()./-]*\d[\d\s()./-]*", re.ASCII)
BETWEEN_DIGITS = re.compile(r"[\s()./-]", re.ASCII)
E164 = re.compile(r"\+[1-9][0-9]{4,14}", re.ASCII)


class ImpossibleNumber(ValueError):
    """No number can be what was typed; `str()` says why, as a clause without a full stop."""


def e164(typed: str, country: str) -> str:
    """The number in E.164 (`+14155550142`); one without a `+` belongs to `country` (`US`).

    Takes what is written in a `tel:` link too. Raises `ImpossibleNumber`. Only the length is judged, not
    whether the number is in use: the vendor's own samples are possible but not valid.
    """
    text = typed.strip().removeprefix("tel:")
    if not text:
        raise ImpossibleNumber("it is empty")
    if len(text) > LONGEST_TYPED:
        raise ImpossibleNumber("it is too long")
    try:
        number = phonenumbers.parse(text, country)
    except NumberParseException as error:
        raise ImpossibleNumber(NOT_READ.get(error.error_type, "it is not a phone number")) from error
    if number.extension:
        raise ImpossibleNumber("extensions cannot be dialled; leave it out")
    if any(letter.isalpha() for letter in text.partition(";")[0]) and not phonenumbers.is_valid_number(
        number
    ):
        raise ImpossibleNumber("it has letters in it")
    judged = phonenumbers.is_possible_number_with_reason(number)
    if judged != ValidationResult.IS_POSSIBLE:
        raise ImpossibleNumber(NOT_POSSIBLE.get(judged, "no such number is possible"))
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))


def search_text(written: str) -> str:
    """`written` as numbers stand in the database: without what people put between digits, where it is one."""
    text = written.strip()
    return BETWEEN_DIGITS.sub("", text) if WRITTEN_NUMBER.fullmatch(text) else text
