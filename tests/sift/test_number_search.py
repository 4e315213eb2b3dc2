"""A number is found in whatever form somebody writes it that the form to place calls can read."""

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat

from connections_app.sift.number_search import search_texts
from connections_app.sift.numbers import ImpossibleNumber, e164

LONDON, LONDON_WHOLE = "+442079460018", "020 7946 0018"
SEPARATORS = [
    " ",
    "-",
    "\xa0",
    "\u2009",
    "\u202f",
    "\u3000",
    "\u2011",
    "\u2012",
    "\u2013",
    "\u2014",
    "\u2212",
]
SEPARATORS += [".", "\u00b7", "/", "\uff0f", "\uff0d", "\u200b", "\xad", "", " - ", "  "]
ZEROS = ["\uff10", "\u0660", "\u06f0", "\u0966", "\U0001d7ce"]
# Forms of +442079460018 for somebody in Britain, and pieces of it.
BRITISH = [
    LONDON,
    LONDON_WHOLE,
    "(020) 7946 0018",
    "[020] 7946 0018",
    "(020)79460018",
    "0044 20 7946 0018",
    "0044 (0)20 7946 0018",
    "00 44 20 7946 0018",
    "+44 (0)20 7946 0018",
    "+44(0)2079460018",
    "+44 (0) 20-7946-0018",
    "(+44) 20 7946 0018",
    "(+44) (0)20 7946 0018",
    "+44 020 7946 0018",
    "44 20 7946 0018",
    "20 7946 0018",
    "7946 0018",
    "tel:+44-20-7946-0018",
    "TEL:+44-20-7946-0018",
    "tel:020-7946-0018",
    "tel:+442079460018;ext=5",
    "\u202a+44 20 7946 0018\u202c",
    "\u200e+44\xa020\xa07946\xa00018",
    "\uff0b44 20 7946 0018",
    "  020 7946 0018  ",
    "020 7946",
    "(020)",
    "+44 (0)20 79",
    "0044 20 7",
    "02079",
    "946-00",
    "Tel. 020 7946 0018",
]


def finds(written: str, country: str, number: str) -> bool:
    return any(text in number for text in search_texts(written, country))


@pytest.mark.parametrize("written", BRITISH)
def test_a_british_number_is_found_as_it_is_written_in_britain(written: str) -> None:
    assert finds(written, "GB", LONDON)
    assert not finds(written, "GB", "+14155550142")


@pytest.mark.parametrize("between", SEPARATORS)
def test_any_space_and_hyphen_may_stand_between_the_digits(between: str) -> None:
    written = between.join(["020", "7946", "0018"])
    assert finds(written, "GB", LONDON)
    assert e164(written, "GB") == LONDON


@pytest.mark.parametrize("zero", ZEROS)
def test_digits_of_any_script_are_digits(zero: str) -> None:
    written = "".join(chr(ord(zero) + int(one)) if one.isdigit() else one for one in LONDON_WHOLE)
    assert finds(written, "GB", LONDON)
    assert e164(written, "GB") == LONDON


@pytest.mark.parametrize(
    ("written", "country", "texts"),
    [
        ("(415) 555-0142", "US", ["4155550142"]),
        ("1 415 555", "US", ["1415555"]),
        ("011 44 20 7946", "US", ["01144207946", "+44207946"]),
        ("00 44 20 7946", "US", ["0044207946", "+44207946"]),
        ("0011 44 20 7946", "AU", ["001144207946", "+44207946"]),
        ("1-800-FLOWERS", "US", ["1-800-FLOWERS", "+18003569377"]),
        # The zero is dialled from abroad as well.
        ("06 1234 5678", "IT", ["0612345678"]),
        ("+39 (0)6 1234", "IT", ["+39061234"]),
        ("8 (495) 123", "RU", ["8495123", "+7495123"]),
        ("06 1 234 56", "HU", ["06123456", "+36123456"]),
        ("030 123456", "DE", ["030123456", "+4930123456"]),
        # Somebody whose country is not known, and pieces that would be in most numbers.
        ("020 7946", "", ["0207946"]),
        ("020 7946", "XX", ["0207946"]),
        ("0", "GB", ["0"]),
        ("00", "GB", ["00"]),
        ("01", "GB", ["01", "+441"]),
        # Names, ids and nothing.
        ("ana", "GB", ["ana"]),
        (" bb09-c6 ", "GB", ["bb09-c6"]),
        ("9016c17e-4ae4-43fc", "GB", ["9016c17e-4ae4-43fc"]),
        ("+", "GB", ["+"]),
        ("tel:", "GB", ["tel:"]),
        ("", "GB", [""]),
    ],
)
def test_what_is_looked_for(written: str, country: str, texts: list[str]) -> None:
    assert search_texts(written, country) == texts


countries = st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS))
formats = st.sampled_from(
    [
        PhoneNumberFormat.E164,
        PhoneNumberFormat.INTERNATIONAL,
        PhoneNumberFormat.NATIONAL,
        PhoneNumberFormat.RFC3966,
    ]
)


@settings(max_examples=300, deadline=None)
@given(countries, countries, formats, st.sampled_from(SEPARATORS), st.integers(0, 10))
def test_whatever_the_form_to_place_calls_reads_is_found(
    of: str, country: str, form: int, between: str, cut: int
) -> None:
    number = phonenumbers.example_number(of)
    if number is None:
        return
    for written in (
        phonenumbers.format_number(number, form).replace(" ", between),
        phonenumbers.format_out_of_country_calling_number(number, country).replace(" ", between),
        phonenumbers.format_number(number, PhoneNumberFormat.E164)[: -cut or None],
    ):
        try:
            read = e164(written, country)
        except ImpossibleNumber:
            continue
        assert finds(written, country, read), (written, country, read)


@settings(max_examples=200, deadline=None)
@given(st.text("+0123456789 ()-./\xa0\u2013\uff10\u0661x;", max_size=25), countries)
def test_nothing_that_is_typed_is_too_odd_to_look_for(written: str, country: str) -> None:
    texts = search_texts(written, country)
    assert texts
    try:
        read = e164(written, country)
    except ImpossibleNumber:
        return
    assert any(text in read for text in texts)
