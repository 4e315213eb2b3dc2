"""Parse Sift's JSON into typed values. Parsing never raises, whatever the JSON holds.

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

# For JSON nested too deeply for pydantic's encoder, which is four times as fast.
_encode_deep = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode

STATUSES = frozenset({"connecting", "connected", "failed", "finished"})
DIRECTIONS = frozenset({"incoming", "outgoing"})
LONGEST_ENDPOINT = 500  # characters
LONGEST_NUMBER = 300  # digits

TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", re.ASCII)
# The position of the seconds in `TIME`, and the leap second, which Python's `datetime` rejects.
SECONDS, LEAP_SECOND = slice(16, 19), ":60"
# Sift is younger than `EARLIEST`, and its clock may be ahead of ours by `AHEAD_AT_MOST`.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
AHEAD_AT_MOST = timedelta(days=1)
BYTE_ORDER_MARK = "\ufeff"
# Characters that PostgreSQL cannot store, as escaped in JSON text.
ESCAPED_NUL_OR_SURROGATE = re.compile(rb"\\u(?:0000|[dD][89abAB-fF])")
NUL_OR_SURROGATE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class Observation:
    """The state of one connection as Sift reported it at one time. None means: not reported.

    `oddities` describes each field whose value could not be understood and was treated as missing.
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
        """Return these fields, without the oddities, as a JSON object; encoded once."""
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
    """A row that cannot become a connection: it has no usable id, or an unknown status."""

    payload: JSON
    reason: str
    connection_id: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the list: its rows in Sift's order, its own URL, and the next page's (None at the end).

    `problem` is a sentence that explains why the link to the next page is not followed.
    """

    url: str
    next_url: str | None
    observations: tuple[Observation, ...]
    unusable: tuple[Unusable, ...]
    problem: str = ""

    @property
    def is_end(self) -> bool:
        """Return True if this is the last page of the list."""
        return self.next_url is None and not self.problem

    @property
    def is_empty(self) -> bool:
        """Return True if the page has no rows, usable or not."""
        return not self.observations and not self.unusable


def decode(body: bytes) -> JSON:
    """Decode a JSON body into values that PostgreSQL can store. Raises ValueError if it is not JSON.

    Skips a byte order mark. Replaces NUL and lone surrogates by U+FFFD, and NaN, infinities and integers of
    more than `LONGEST_NUMBER` digits by None.
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
    """Return `value` with U+FFFD for each character that PostgreSQL cannot store, also in keys."""
    if isinstance(value, str):
        return NUL_OR_SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [cleaned(item) for item in value]
    if isinstance(value, dict):
        return {cleaned(key): cleaned(item) for key, item in value.items()}
    return value


def parse_connection(row: JSON) -> Observation | Unusable:
    """Parse one connection object. Source: "The Connection object"."""
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
    """Parse the rows of a page. Returns the observations and the unusable rows."""
    parsed = [parse_connection(row) for row in rows]
    return (
        tuple(one for one in parsed if isinstance(one, Observation)),
        tuple(one for one in parsed if isinstance(one, Unusable)),
    )


def error_words(body: bytes) -> str:
    """Return Sift's own text in an error body, `{"error": "text"}`, or “no reason given.”."""
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
    """Return a time of RFC 3339 from the year 2000 to a day ahead of now; None for any other value."""
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
    """Return the time `value` in UTC, which is also the default zone. Raises ValueError or OverflowError."""
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
