"""A number as people write it, and a client's name, are what Sift writes."""

import pytest

from connections_app.contacts.endpoint_input import InvalidEndpoint, parse_endpoint


@pytest.mark.parametrize(
    ("typed", "country", "endpoint"),
    [
        ("+1 (415) 555-0142", "US", "+14155550142"),
        ("415.555.0142", "US", "+14155550142"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("tel:+14155550142", "DE", "+14155550142"),
        ("TEL:+14155550142", "DE", "+14155550142"),
        ("1-800-FLOWERS", "US", "+18003569377"),
        ("ana", "US", "webrtc:ana"),
        (" WebRTC: ana ", "US", "webrtc:ana"),
        ("webrtc:4155550142", "US", "webrtc:4155550142"),
        ("agent 7", "US", "webrtc:agent 7"),
    ],
)
def test_what_people_write_is_one_endpoint(typed: str, country: str, endpoint: str) -> None:
    assert parse_endpoint(typed, country) == endpoint


@pytest.mark.parametrize("endpoint", ["+14155550142", "webrtc:ana", "webrtc:tel:1", "webrtc:webrtc:x"])
def test_what_sift_writes_stays_as_it_is(endpoint: str) -> None:
    assert parse_endpoint(endpoint, "DE") == endpoint


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("12", "too short"),
        ("+999123456789", "no country has this code"),
        ("webrtc:", "name is missing"),
        ("sip:ana@example.com", "neither a number nor a client"),
        ("ana\nben", "one line"),
        ("ana\u2028ben", "one line"),
        ("ana\x07", "one line"),
        ("x" * 256, "at most 255"),
        ("-", "not a number to call"),
        ("\ud800", "not a number to call"),
    ],
)
def test_what_is_neither_says_why(typed: str, words: str) -> None:
    with pytest.raises(InvalidEndpoint, match=words):
        parse_endpoint(typed, "US")
