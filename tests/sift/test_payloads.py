"""Whatever Sift sends, a row becomes an observation or is stored as unusable with a reason.

Nothing raises.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections_app.sift.payloads import Observation, Unusable, decode, error_words, parse_connection

ROW = {"connection_id": "1994a0ee21b612ee", "status": "finished"}


def parsed(**fields: Any) -> Observation:
    one = parse_connection(ROW | fields)
    assert isinstance(one, Observation)
    return one


def test_the_vendors_own_example() -> None:
    one = parsed(
        start_time="2016-05-10T02:28:17Z",
        end_time="2016-05-10T05:38:22Z",
        direction="incoming",
        client_data={"username": "jimmy"},
        **{"from": "+15554443333", "to": "webrtc:jimmy"},
    )
    assert one.started_at == datetime(2016, 5, 10, 2, 28, 17, tzinfo=UTC)
    assert (one.from_endpoint, one.to_endpoint) == ("+15554443333", "webrtc:jimmy")
    assert one.oddities == ()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([], "a list"),
        ("text", "a text"),
        (None, "missing"),
        (7, "a number"),
        (True, "a boolean"),
        ({"status": "finished"}, "connection_id is missing"),
        ({"connection_id": 7, "status": "finished"}, "connection_id is a number"),
        ({"connection_id": "", "status": "finished"}, "an empty text"),
        ({"connection_id": "a/b", "status": "finished"}, "cannot stand in a path"),
        ({"connection_id": "..", "status": "finished"}, "cannot stand in a path"),
        ({"connection_id": "x" * 256, "status": "finished"}, "256 characters"),
        ({"connection_id": "a"}, "status is missing"),
        ({"connection_id": "a", "status": "ringing"}, "“ringing”, which is not known"),
        ({"connection_id": "a", "status": {}}, "status is an object"),
    ],
)
def test_a_row_without_usable_id_or_known_status_says_why(row: Any, reason: str) -> None:
    one = parse_connection(row)
    assert isinstance(one, Unusable)
    assert reason in one.reason


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("start_time", "banana"),
        ("start_time", "0000-01-01T00:00:00Z"),
        ("start_time", "10000-01-01T00:00:00Z"),
        ("end_time", 1462847297),
        ("end_time", "2016-05-10T25:00:00Z"),
        ("direction", "sideways"),
        ("direction", ["incoming"]),
        ("from", {"number": "+1"}),
        ("to", "x" * 501),
    ],
)
def test_an_odd_value_counts_as_missing_and_is_noted(field: str, value: Any) -> None:
    one = parsed(**{field: value})
    (oddity,) = one.oddities
    assert oddity.startswith(f"{field}:")


def test_times_without_a_zone_are_utc_and_others_are_converted() -> None:
    assert parsed(start_time="2016-05-10T02:28:17").started_at == datetime(2016, 5, 10, 2, 28, 17, tzinfo=UTC)
    assert parsed(start_time="2016-05-10T04:28:17+02:00").started_at == datetime(
        2016, 5, 10, 2, 28, 17, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2016-05-10t02:28:17z", "02:28:17+00:00"),
        ("2016-05-10t02:28:17.25z", "02:28:17.250000+00:00"),
        ("2016-05-10T02:28:17.123456789Z", "02:28:17.123456+00:00"),
        ("2016-05-10T02:28:17,5Z", "02:28:17.500000+00:00"),
        ("2016-05-10T02:28:17-00:00", "02:28:17+00:00"),
        ("2016-05-10T07:58:17+0530", "02:28:17+00:00"),
        ("2016-05-10 02:28:17Z", "02:28:17+00:00"),
        ("2016-05-10T02:28Z", "02:28:00+00:00"),
        ("2016-05-10T02:28:60Z", "02:29:00+00:00"),
        ("2016-05-10t02:28:60.5z", "02:29:00.500000+00:00"),
    ],
)
def test_every_form_of_rfc_3339_is_read(written: str, meant: str) -> None:
    one = parsed(start_time=written, end_time=written)
    assert one.started_at == one.ended_at == datetime.fromisoformat(f"2016-05-10T{meant}")
    assert one.oddities == ()


@pytest.mark.parametrize("field", ["start_time", "end_time"])
@pytest.mark.parametrize(
    ("time", "why"),
    [
        ("0001-01-01T00:00:00Z", "before the year 2000"),
        ("1970-01-01T00:00:00Z", "before the year 2000"),
        ("1999-12-31T23:59:59.999999Z", "before the year 2000"),
        ("2000-01-01T00:00:00+00:01", "before the year 2000"),
        ("9999-12-31T23:59:59Z", "more than a day ahead"),
    ],
)
def test_a_time_that_sift_cannot_mean_counts_as_missing(field: str, time: str, why: str) -> None:
    one = parsed(**{field: time})
    assert (one.started_at, one.ended_at) == (None, None)
    assert one.raw[field] == time
    assert one.oddities == (f"{field}: “{time}” is {why}",)


@pytest.mark.parametrize("field", ["start_time", "end_time"])
def test_a_time_counts_as_missing_from_a_day_ahead(field: str) -> None:
    now = datetime.now(UTC)
    ahead = (now + timedelta(days=1, minutes=1)).isoformat()
    one = parsed(**{field: ahead})
    assert (one.started_at, one.ended_at) == (None, None)
    assert one.oddities == (f"{field}: “{ahead}” is more than a day ahead",)
    within = now + timedelta(hours=23, minutes=59)
    one = parsed(**{field: within.isoformat()})
    assert within in (one.started_at, one.ended_at)


def test_the_first_moment_that_is_taken() -> None:
    assert parsed(start_time="2000-01-01T00:00:00Z").started_at == datetime(2000, 1, 1, tzinfo=UTC)


def test_a_byte_order_mark_is_passed_over() -> None:
    assert decode(b'\xef\xbb\xbf{"a": "\xef\xbb\xbf\\u0000"}') == {"a": "\ufeff\ufffd"}
    assert error_words(b'\xef\xbb\xbf{"error": "No such account."}') == "No such account."


def test_nul_and_lone_surrogates_are_replaced_and_pairs_kept() -> None:
    decoded = decode(rb'{"a\u0000": ["x\ud800y", "\ud83d\ude00", {"\udc00": 1}]}')
    assert decoded == {"a\ufffd": ["x\ufffdy", "😀", {"\ufffd": 1}]}


def test_numbers_that_postgresql_cannot_hold_become_nothing() -> None:
    assert decode(b"[NaN, Infinity, 1e999, " + b"9" * 5000 + b", 1.5, 7]") == [None, None, None, None, 1.5, 7]


def test_a_body_nested_too_deeply_is_not_json_to_us() -> None:
    with pytest.raises(ValueError, match="too deeply"):
        decode(b"[" * 100_000)


def test_the_error_is_shown_in_sifts_words() -> None:
    assert error_words(b'{"error": "No such account."}') == "No such account."
    assert error_words(b"<html>") == "no reason given."


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["connection_id", "status", "direction", "start_time", "end_time", "from", "to", "client_data"]


@given(anything | st.dictionaries(st.sampled_from(FIELDS), anything))
def test_nothing_raises(row: Any) -> None:
    assert isinstance(parse_connection(decode(json.dumps(row).encode())), Observation | Unusable)
