"""Convert phone numbers that people type to the form that Sift accepts."""

import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

LONGEST_TYPED = 60  # characters
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
# Digits and what people put between them, once `plain`.
WRITTEN_NUMBER = re.compile(r"[\s()\[\]./~-]*\+?[\d\s()\[\]./~-]*\d[\d\s()\[\]./~-]*", re.ASCII)
BETWEEN_DIGITS = re.compile(r"[\s()\[\]./~-]", re.ASCII)
# Characters used as a hyphen or a dot, in addition to Unicode's dashes.
HYPHENS, DOTS = "\u2212\u207b\u30fc\uff70", "\u00b7\u2022\u2027\u2219\u22c5\u30fb\uff65"
# Variation selectors and the enclosing keycap, which follow the digit in keycap emoji.
KEYCAP = "\u034f\ufe0e\ufe0f\u20e3"
E164 = re.compile(r"\+[1-9][0-9]{4,14}", re.ASCII)
# RFC 3966 has no slashes, but other programs write them.
TEL = re.compile(r"\s*tel:(?://)?", re.IGNORECASE)
PARAMETER = re.compile(r";([a-z0-9-]+)(?:=([^;]*))?", re.IGNORECASE)
# In a query string `+` arrives as U+0020. Numbers copied from an address book carry direction marks.
LOST_PLUS = re.compile("([\\s(\u200e\u200f\u202a-\u202e\u2066-\u2069]*) (?=[1-9])")
LOST_CONTEXT_PLUS = re.compile(r"(;phone-context=) (?=[1-9])", re.IGNORECASE)
ESCAPED = re.compile(r"%[0-9a-f]{2}", re.IGNORECASE)


class ImpossibleNumber(ValueError):
    """The typed text cannot be a phone number; `str()` is the reason, as a clause without a full stop."""


def e164(typed: str, country: str) -> str:
    """Return the number in E.164 (`+14155550142`); one without a `+` belongs to `country` (`US`).

    Accepts `tel:` links too. Raises `ImpossibleNumber`. Checks only the length, not whether the number is
    in use: the vendor's own samples are possible but not valid.
    """
    is_link = TEL.match(typed)
    text = typed[is_link.end() :].strip() if is_link else typed.strip()
    if is_link or ";phone-context=" in text.lower():
        text = _without_parameters(text)
    if not text:
        raise ImpossibleNumber("it is empty")
    if len(text) > LONGEST_TYPED:
        raise ImpossibleNumber("it is too long")
    try:
        number = phonenumbers.parse(plain(text), country)
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


def number_from_url(value: str, country: str) -> str:
    """Return the phone number in `value`, a decoded query parameter, in E.164.

    In a query string `+` means a space, so an international number often arrives without its `+`: a space
    before 1 to 9, also after `tel:`, is read as `+` if that makes a possible number. Any other number
    without a `+` belongs to `country` (`US`). Text that begins with a letter (a name, `webrtc:ana`) or
    cannot be a number is returned stripped, so that a form can show it with the reason.
    """
    text = (unquote(value) if ESCAPED.search(value) else value).replace("\x00", "")
    link = TEL.match(text)
    if not link and text.strip()[:1].isalpha():
        return text.strip()
    scheme, written = ("tel:", text[link.end() :]) if link else ("", text)
    written = LOST_CONTEXT_PLUS.sub(r"\1+", written)
    with_plus = LOST_PLUS.sub(r"\1+", written, count=1) if LOST_PLUS.match(written) else ""
    if with_plus and _is_possible(with_plus.partition(";")[0]):
        written = with_plus
    try:
        return e164(f"{scheme}{written}", country)
    except ImpossibleNumber:
        return written.strip()


def _is_possible(written: str) -> bool:
    """Return True if an international number is possible, with or without an extension."""
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(plain(written)))
    except NumberParseException:
        return False


def _without_parameters(text: str) -> str:
    """Return the number of a `tel:` link without parameters, but with the prefix that `phone-context` gives.

    Raises `ImpossibleNumber` for an extension, or if the number belongs to a private network.
    """
    number, *_ = text.partition(";")
    for name, value in PARAMETER.findall(text):
        match name.lower():
            case "ext" if value.strip():
                raise ImpossibleNumber("extensions cannot be dialled; leave it out")
            case "phone-context" if value.startswith("+"):
                number = number if number.strip().startswith("+") else f"{value}{number}"
            case "phone-context":
                raise ImpossibleNumber(f"it is a number within {value or 'a private network'} only")
    return number


def plain(written: str) -> str:
    """Return `written` with the digits, signs and spaces of any script as ASCII.

    Invisible characters, such as direction marks around a copied number, are removed.
    """
    return "".join(map(_plain, written))


def is_number(written: str) -> bool:
    """Return True if `written` is a number or part of one, as people write it or as in a `tel:` link."""
    return WRITTEN_NUMBER.fullmatch(_without_link(written)) is not None


def search_text(written: str) -> str:
    """Return `written` as the database stores numbers: without separators, if it is a number."""
    text = _without_link(written)
    return BETWEEN_DIGITS.sub("", text) if WRITTEN_NUMBER.fullmatch(text) else written.strip()


def _without_link(written: str) -> str:
    text = plain(written).strip()
    link = TEL.match(text)
    return text[link.end() :].partition(";")[0].strip() if link else text


@lru_cache(maxsize=1024)
def _plain(character: str) -> str:
    kind = unicodedata.category(character)
    if kind == "Nd":
        return str(unicodedata.decimal(character))
    if kind == "Zs":
        return " "
    if kind == "Pd" or character in HYPHENS:
        return "-"
    if kind == "Cf" or character in KEYCAP:
        return ""
    if character in DOTS:
        return "."
    narrow = unicodedata.normalize("NFKC", character)
    return narrow if narrow in ("+", "(", ")", "[", "]", ".", "/", "~") else character
