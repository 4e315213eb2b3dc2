"""A number that arrives in a query string is the number that the link was made for."""

import pytest

from connections_app.sift.numbers import ImpossibleNumber, e164, number_from_url

BERLIN = "+4930123456"
BOSTON = "+14155550142"


@pytest.mark.parametrize("country", ["US", "DE", "GB", "JP"])
@pytest.mark.parametrize(
    "value",
    [
        " 4930123456",
        "+4930123456",
        "%2B4930123456",
        "  4930123456",
        " 49 30 123456",
        " 49 (0)30/12-34-56",
        "( 49) 30 123456",
        "\u202a 49 30 123456\u202c",
        "\uff0b\uff14\uff19 30 123456",
        "tel: 4930123456",
        "tel:+4930123456",
        "TEL: 49-30-123456",
        " tel: 4930123456 ",
        "tel:%2B4930123456",
        "tel:// 4930123456",
        "tel://+4930123456",
        "tel:030123456;phone-context=+49",
        "tel:030123456;Phone-Context= 49",
        "tel: 4930123456;isub=12;unknown",
    ],
    ids=ascii,
)
def test_a_plus_that_was_lost_is_put_back_whatever_the_persons_country(value: str, country: str) -> None:
    assert number_from_url(value, country) == BERLIN


@pytest.mark.parametrize(
    ("value", "country", "number"),
    [
        ("(415) 555-0142", "US", BOSTON),
        (" (415) 555-0142", "US", BOSTON),
        (" 4155550142", "US", BOSTON),  # +4155550142 is too short for Switzerland.
        ("030 123456", "DE", BERLIN),
        (" 030 123456", "DE", BERLIN),
        ("tel:030 123456", "DE", BERLIN),
        ("0049 30 123456", "GB", BERLIN),
        ("\u00a030 123456", "DE", BERLIN),  # No plus becomes a no-break space.
        ("\u3000030 123456", "DE", BERLIN),
    ],
    ids=ascii,
)
def test_any_other_number_belongs_to_the_persons_country(value: str, country: str, number: str) -> None:
    assert number_from_url(value, country) == number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", ""),
        (" ", ""),
        ("tel:", ""),
        (" 12", "12"),
        ("Lima", "Lima"),
        (" webrtc:4155550142", "webrtc:4155550142"),
        (" 999123456789", "999123456789"),
        (" 4930123456 ext. 7", "+4930123456 ext. 7"),  # Its country stays when the extension is taken out.
        ("tel:7042;phone-context=example.com", "7042;phone-context=example.com"),
        ("tel: 4930123456;ext=5", "+4930123456;ext=5"),
        ("100%", "100%"),
        (" " * 300 + "4" * 300, "4" * 300),
    ],
    ids=ascii,
)
def test_what_is_no_number_is_left_for_the_form_to_explain(value: str, text: str) -> None:
    assert number_from_url(value, "US") == text


@pytest.mark.parametrize("typed", ["Tel:+4930123456", "tel://+4930123456", "tel:030123456;phone-context=+49"])
def test_links_are_read_as_they_are_pasted(typed: str) -> None:
    assert e164(typed, "US") == BERLIN


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("tel:7042123456;phone-context=example.com", "a number within example.com only"),
        ("tel:+4930123456;ext=5", "extensions cannot be dialled"),
        ("+4930123456;ext=5", "extensions cannot be dialled"),
    ],
)
def test_a_link_to_what_cannot_be_dialled_says_why(typed: str, words: str) -> None:
    with pytest.raises(ImpossibleNumber, match=words):
        e164(typed, "US")


def test_a_space_that_was_typed_is_no_plus() -> None:
    assert e164(" 4155550142", "US") == BOSTON
    with pytest.raises(ImpossibleNumber):
        e164(" 493012345678", "US")
