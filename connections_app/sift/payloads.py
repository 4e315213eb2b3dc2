"""Sift's JSON as typed values; whatever it holds, parsing never raises.

Source: "The Connection object" and "List Connections" of the vendor's page on connections.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

from connections_app.sift.connection_ids import problem_with_id

JSON = Any

# For what is nested too deeply for pydantic's encoder, which takes a quarter of the time.
_encode_deep = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode

STATUSES = frozenset({"connecting", "connected", "failed", "finished"})
DIRECTIONS = frozenset({"incoming", "outgoing"})
LONGEST_ENDPOINT = 500
LONGEST_NUMBER = 300

TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", re.ASCII)
# Where its seconds stand, and a minute's 61st, which Python's clock does not have.
SECONDS, LEAP_SECOND = slice(16, 19), ":60"
# What Sift, which is younger than that, cannot mean; and how far its clock may be ahead of ours.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
AHEAD_AT_MOST = timedelta(days=1)
BYTE_ORDER_MARK = "\ufeff"
# What PostgreSQL cannot hold, as it looks inside JSON text.
ESCAPED_NUL_OR_SURROGATE = re.compile(rb"\\u(?:0000|[dD][89abAB-fF])")
NUL_OR_SURROGATE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class Observation:
    """What Sift said of one connection at one time. None means that it did not say.

    `oddities` names, in words, each field whose value could not be understood and counts as missing.
    """

    connection_id: str
    status: str
    direction: str | None
    started_at: datetime | None
    ended_at: datetime | None
    from_endpoint: str | None
    to_endpoint: str | None
    client_data: JSON
    raw: dict[str, JSON]
    oddities: tuple[str, ...] = ()

    @cached_property
    def encoded(self) -> str:
        """These fields, but for the oddities, as a JSON object; made once."""
        fields = {
            "connection_id": self.connection_id,
            "status": self.status,
            "direction": self.direction,
            "started_at": self.started_at and self.started_at.isoformat(),
            "ended_at": self.ended_at and self.ended_at.isoformat(),
            "from_endpoint": self.from_endpoint,
            "to_endpoint": self.to_endpoint,
            "client_data": self.client_data,
            "raw": self.raw,
        }
        try:
            return to_json(fields).decode()
        except PydanticSerializationError:
            return _encode_deep(fields)


@dataclass(frozen=True, slots=True)
class Unusable:
    """A row that cannot become a connection: no usable id, or a status that is not known."""

    payload: JSON
    reason: str
    connection_id: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the list: its rows in Sift's order, its own URL, and the next one's (None at the end).

    `problem` is a sentence that says why the link to the next page is not followed.
    """

    url: str
    next_url: str | None
    observations: tuple[Observation, ...]
    unusable: tuple[Unusable, ...]
    problem: str = ""

    @property
    def is_end(self) -> bool:
        return self.next_url is None and not self.problem

    @property
    def is_empty(self) -> bool:
        return not self.observations and not self.unusable


def decode(body: bytes) -> JSON:
    """Decode a JSON body into values that PostgreSQL can hold. Raises ValueError when it is not JSON.

    A byte order mark before it is passed over. NUL and lone surrogates become U+FFFD; NaN, infinities
    and numbers of absurd length become None.
    """
    try:
        decoded = json.loads(
            body.decode(errors="replace").removeprefix(BYTE_ORDER_MARK),
            parse_constant=_nothing,
            parse_float=_finite,
            parse_int=_whole,
        )
        return cleaned(decoded) if ESCAPED_NUL_OR_SURROGATE.search(body) else decoded
    except RecursionError:
        raise ValueError("nested too deeply") from None


def cleaned(value: JSON) -> JSON:
    """`value` with U+FFFD for each character that PostgreSQL cannot hold, in keys too."""
    if isinstance(value, str):
        return NUL_OR_SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [cleaned(item) for item in value]
    if isinstance(value, dict):
        return {cleaned(key): cleaned(item) for key, item in value.items()}
    return value


def parse_connection(row: JSON) -> Observation | Unusable:
    """One connection object. Source: "The Connection object"."""
    if not isinstance(row, dict):
        return Unusable(row, f"The row is {_kind(row)}, not an object.")
    connection_id = row.get("connection_id")
    if not isinstance(connection_id, str) or not connection_id:
        return Unusable(row, f"connection_id is {_kind(connection_id)}, not a text.")
    if problem := problem_with_id(connection_id):
        return Unusable(row, problem)
    status = row.get("status")
    if not isinstance(status, str) or status not in STATUSES:
        shown = f"“{status[:50]}”, which is not known" if isinstance(status, str) else _kind(status)
        return Unusable(row, f"status is {shown}.", connection_id)
    oddities: list[str] = []
    return Observation(
        connection_id,
        status,
        _direction(row.get("direction"), oddities),
        _time("start_time", row.get("start_time"), oddities),
        _time("end_time", row.get("end_time"), oddities),
        _endpoint("from", row.get("from"), oddities),
        _endpoint("to", row.get("to"), oddities),
        row.get("client_data"),
        row,
        tuple(oddities),
    )


def parse_rows(rows: list[JSON]) -> tuple[tuple[Observation, ...], tuple[Unusable, ...]]:
    """The rows of a page, those that became observations and those that could not."""
    parsed = [parse_connection(row) for row in rows]
    return (
        tuple(one for one in parsed if isinstance(one, Observation)),
        tuple(one for one in parsed if isinstance(one, Unusable)),
    )


def error_words(body: bytes) -> str:
    """Sift's own words in an error body, `{"error": "text"}`, or the start of whatever it sent instead."""
    try:
        decoded = decode(body)
    except ValueError:
        decoded = None
    if isinstance(decoded, dict) and isinstance(decoded.get("error"), str):
        return str(decoded["error"])[:500]
    return "no reason given."


def _direction(value: JSON, oddities: list[str]) -> str | None:
    if value is None or (isinstance(value, str) and value in DIRECTIONS):
        return value
    oddities.append(f"direction: {_shown(value)}")
    return None


def _time(field: str, value: JSON, oddities: list[str]) -> datetime | None:
    """A time of RFC 3339 that Sift can mean: from the year 2000 to a day ahead of now."""
    if value is None:
        return None
    try:
        time = _moment(value)
    except (ValueError, OverflowError):
        oddities.append(f"{field}: {_shown(value)}")
        return None
    if EARLIEST <= time <= datetime.now(UTC) + AHEAD_AT_MOST:
        return time
    why = "before the year 2000" if time < EARLIEST else "more than a day ahead"
    oddities.append(f"{field}: {_shown(value)} is {why}")
    return None


def _moment(value: JSON) -> datetime:
    """`value` in UTC, where it tells no zone too. Raises ValueError, and OverflowError."""
    text = value.upper() if isinstance(value, str) else ""
    if not TIME.match(text):
        raise ValueError
    if text[SECONDS] == LEAP_SECOND:
        time = datetime.fromisoformat(f"{text[: SECONDS.start]}:59{text[SECONDS.stop :]}") + timedelta(
            seconds=1
        )
    else:
        time = datetime.fromisoformat(text)
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _endpoint(field: str, value: JSON, oddities: list[str]) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, str) and len(value) <= LONGEST_ENDPOINT:
        return value
    oddities.append(f"{field}: {_shown(value)}")
    return None


def _shown(value: JSON) -> str:
    return f"“{value[:50]}”" if isinstance(value, str) else _kind(value)


def _kind(value: JSON) -> str:
    kinds: Iterator[str] = (
        words
        for kind, words in (
            (type(None), "missing"),
            (bool, "a boolean"),
            (str, "an empty text" if value == "" else "a text"),
            (int | float, "a number"),
            (list, "a list"),
            (dict, "an object"),
        )
        if isinstance(value, kind)
    )
    return next(kinds)


def _nothing(_: str) -> None:
    return None


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if abs(number) < float("inf") else None


def _whole(digits: str) -> int | None:
    return int(digits) if len(digits) <= LONGEST_NUMBER else None
