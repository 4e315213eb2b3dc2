"""For random calls and filters, the list, paged to its end either way, and the export do as plain Python."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from connections_app.call_list import paging, time_limits
from connections_app.call_list.filters import CallsForm, filtered, order_of
from connections_app.calls.ingest import ingest
from connections_app.exports.writing import Format
from connections_app.models import CallTag, Connection, Contact, Note, Operator, Source, Tag, UserName
from connections_app.models.countries import country_of
from connections_app.sift.payloads import Observation, parse_connection
from tests.exports.exported import written

pytestmark = pytest.mark.django_db

ZONES = ("UTC", "Europe/Berlin", "America/New_York")
# Around the hours at which the clocks change, in both zones that change them.
HOURS = [datetime(2026, 3, 8, 5, tzinfo=UTC) + timedelta(hours=hour) for hour in range(0, 6)] + [
    datetime(2026, 10, 24, 21, tzinfo=UTC) + timedelta(hours=hour) for hour in range(0, 30, 3)
]
DAYS = [date(2026, 3, 7), date(2026, 3, 8), date(2026, 10, 24), date(2026, 10, 25), date(2026, 10, 26)]
MIDNIGHTS = [datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC) for day in DAYS for zone in ZONES]
ENDPOINTS = ["+14155550142", "+14165550100", "+442071838750", "webrtc:Ana", "webrtc:Bo", "desk 7", None]
NAMES = {"+14155550142": "Grace Hopper", "webrtc:bo": "Mr Bo Grace"}
# Numbers as people write them, with what they mean where one of these countries is the person's.
WRITTEN = {
    "020 7183": {"GB": ["0207183", "+44207183"], "US": ["0207183"]},
    "+44\u00a0(0)20\u20137183 8750": {"GB": ["+442071838750"], "US": ["+442071838750"]},
    "00 44 20": {"GB": ["004420", "+4420"], "US": ["004420", "+4420"]},
    "\uff14\uff11\uff15.555": {"GB": ["415555"], "US": ["415555"]},
}
COUNTRIES = ("GB", "US")
TEXTS = [*WRITTEN, "415", "(416) 555", "grace", "webrtc:ana", "an", "ana", "bo", "call-1", "7", "%", "c_ll"]


@dataclass(frozen=True)
class Drawn:
    """A call as it was drawn: what Sift tells of it, its tags, and whether somebody wrote a note."""

    status: str
    direction: str | None
    start: datetime
    seconds: int | None
    from_endpoint: str | None
    to_endpoint: str | None
    tags: frozenset[str]
    noted: bool


drawn_calls = st.builds(
    Drawn,
    status=st.sampled_from(["connecting", "connected", "failed", "finished"]),
    direction=st.sampled_from(["incoming", "outgoing", None]),
    start=st.sampled_from(HOURS + MIDNIGHTS),
    seconds=st.sampled_from([None, -5, 0, 1, 60, 61, 3600]),
    from_endpoint=st.sampled_from(ENDPOINTS),
    to_endpoint=st.sampled_from(ENDPOINTS),
    tags=st.frozensets(st.sampled_from(["vip", "Billing"])),
    noted=st.booleans(),
)

FILTERS: dict[str, st.SearchStrategy[Any]] = {
    "q": st.sampled_from(TEXTS),
    "status": st.lists(st.sampled_from(["connecting", "connected", "failed", "finished"]), min_size=1),
    "direction": st.lists(st.sampled_from(["incoming", "outgoing"]), min_size=1),
    "operator": st.lists(st.sampled_from(["ana", "bo"]), min_size=1),
    "tag": st.lists(st.sampled_from(["vip", "Billing"]), min_size=1),
    "country": st.lists(st.sampled_from(["US", "CA", "GB", "DE"]), min_size=1),
    "min_seconds": st.sampled_from(["0", "1"]),
    "max_seconds": st.sampled_from(["1", "1:00", "0:59:59"]),
    "notes": st.just("yes"),
    "sort": st.sampled_from(["newest", "oldest", "longest", "shortest"]),
}
# A few at a time: all of them together let hardly a call through.
filters = st.lists(st.sampled_from(sorted(FILTERS)), max_size=3, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: FILTERS[name] for name in names})
)
ranges = st.tuples(st.sampled_from([None, *DAYS]), st.sampled_from([None, *DAYS])).map(
    lambda days: days if None in days else tuple(sorted(days))
)


@dataclass(frozen=True)
class SiftRequest:
    """What the list is asked, in a zone, with pages of so many rows."""

    query: dict[str, Any]
    zone: str
    rows: int

    @property
    def address(self) -> str:
        return urlencode(self.query, doseq=True)


def asked_for(
    filters: dict[str, Any], days: tuple[date | None, ...], zone: str, country: str, rows: int
) -> SiftRequest:
    named = zip(("since", "until"), days, strict=True)
    return SiftRequest(
        filters | {name: str(day) for name, day in named if day} | {"dials_from": country}, zone, rows
    )


questions = st.builds(
    asked_for, filters, ranges, st.sampled_from(ZONES), st.sampled_from(COUNTRIES), st.integers(1, 5)
)


@pytest.mark.timeout(240)
@settings(max_examples=40, deadline=None)
@given(st.lists(drawn_calls, min_size=4, max_size=14), st.lists(questions, min_size=12, max_size=12))
def test_the_list_and_the_export_give_what_python_gives(
    drawn: list[Drawn], questions: list[SiftRequest]
) -> None:
    make(drawn)
    for asked in questions:
        expected = [f"call-{number}" for number in chosen(drawn, asked.query, asked.zone)]
        with timezone.override(asked.zone), pages_of(asked.rows):
            down, last = walked(asked.address, lambda page: page.next_url)
            up, _ = walked(last, lambda page: page.previous_url)
        assert [name for page in down for name in page] == expected, asked
        assert [name for page in reversed(up) for name in page] == expected, asked
        assert in_csv(written(asked.address, zone=asked.zone)) == expected, asked
        assert in_json(written(asked.address, Format.NDJSON, asked.zone)) == expected, asked


def in_csv(file: bytes) -> list[str]:
    """The ids of the calls in a file, in its order."""
    return [row["Call id"] for row in csv.DictReader(io.StringIO(file.decode("utf-8-sig"), newline=""))]


def in_json(file: bytes) -> list[str]:
    return [json.loads(line)["connection_id"] for line in file.splitlines()]


def chosen(drawn: list[Drawn], asked: dict[str, Any], zone: str) -> list[int]:
    """The numbers of the calls that the filters let through, in the order that is asked for."""
    let = [number for number, call in enumerate(drawn) if lets(call, number, asked, ZoneInfo(zone))]
    match asked.get("sort", "newest"):
        case "longest" | "shortest" as sort:
            return sorted(let, key=lambda n: (talked(drawn[n]), n), reverse=sort == "longest")
        case sort:
            return sorted(let, key=lambda n: (drawn[n].start, n), reverse=sort == "newest")


def lets(call: Drawn, number: int, asked: dict[str, Any], zone: ZoneInfo) -> bool:
    day = call.start.astimezone(zone).date()
    tests: dict[str, Callable[[Any], bool]] = {
        "q": lambda text: has_text(call, number, text, asked["dials_from"]),
        "status": lambda any_of: call.status in any_of,
        "direction": lambda any_of: call.direction in any_of,
        "since": lambda first: str(day) >= first,
        "until": lambda last: str(day) <= last,
        "operator": lambda any_of: operator(call) in any_of,
        "tag": lambda any_of: bool(call.tags & set(any_of)),
        "country": lambda any_of: country_of(party(call)) in any_of,
        "min_seconds": lambda least: talked(call) >= seconds(least),
        "max_seconds": lambda most: 0 <= talked(call) <= seconds(most),
        "notes": lambda _: call.noted,
        "sort": lambda _: True,
        "dials_from": lambda _: True,
    }
    return all(tests[name](value) for name, value in asked.items())


def has_text(call: Drawn, number: int, text: str, country: str) -> bool:
    ends = [end for end in (call.from_endpoint, call.to_endpoint) if end]
    name = NAMES.get((party(call) or "").lower(), "")
    if sum(map(str.isalnum, text)) < 3:
        return any(end.lower() == f"webrtc:{text}" for end in ends) or name.lower() == text
    meant = WRITTEN[text][country] if text in WRITTEN else ["416555" if text == "(416) 555" else text]
    found = (wanted in one.lower() for one in [f"call-{number}", *ends] for wanted in meant)
    return any(found) or text in name.lower()


def party(call: Drawn) -> str | None:
    caller, callee = call.from_endpoint, call.to_endpoint
    if call.direction:
        return callee if call.direction == "incoming" else caller
    phones = [end for end in (caller, callee) if end and end.startswith("+")]
    return next(iter(phones), caller or callee)


def operator(call: Drawn) -> str | None:
    clients = [end for end in (call.from_endpoint, call.to_endpoint) if end and end.startswith("webrtc:")]
    return clients[0].removeprefix("webrtc:").lower() if clients else None


def talked(call: Drawn) -> int:
    """-1 where it is not known: the shortest of all."""
    known = call.status == "finished" and call.seconds is not None and call.seconds >= 0
    return call.seconds if known and call.seconds is not None else -1


def seconds(written: str) -> int:
    return sum(int(part) * 60**place for place, part in enumerate(reversed(written.split(":"))))


def walked(query: str, following: Callable[[paging.CallsPage], str | None]) -> tuple[list[list[str]], str]:
    """The pages from `query` on, each as its calls' ids, and the query of the last one."""
    pages = []
    while True:
        asked = QueryDict(query)
        form = CallsForm(asked)
        assert form.is_valid(), form.errors
        page = paging.Page.from_query(order_of(form), asked)
        shown = page.calls_page(time_limits.calls_on(page, filtered(form)), asked)
        pages.append([call.connection_id for call in shown.calls])
        address = following(shown)
        if not address:
            return pages, query
        query = address.removeprefix("?")


@contextmanager
def pages_of(rows: int) -> Iterator[None]:
    before, paging.PAGE_ROWS = paging.PAGE_ROWS, rows
    try:
        yield
    finally:
        paging.PAGE_ROWS = before


def make(drawn: list[Drawn]) -> None:
    for model in (Connection, Tag, Contact, Operator, UserName):
        model.objects.all().delete()
    for name in ("ana", "bo"):
        Operator.objects.create(username=name, client_name=name.title())
    tags = {name: Tag.objects.create(name=name) for name in ("vip", "Billing")}
    Contact.objects.bulk_create(Contact(endpoint=endpoint, name=name) for endpoint, name in NAMES.items())
    for number, call in enumerate(drawn):
        ingest([observed(number, call)], Source.LIST)
    made = {call.connection_id: call for call in Connection.objects.all()}
    for number, call in enumerate(drawn):
        one = made[f"call-{number}"]
        if call.noted:
            Note.objects.create(connection=one, text="Called back.")
        CallTag.objects.bulk_create(CallTag(connection=one, tag=tags[name], at=one.at) for name in call.tags)


def observed(number: int, call: Drawn) -> Observation:
    ended = call.start + timedelta(seconds=call.seconds) if call.seconds is not None else None
    one = parse_connection(
        {
            "connection_id": f"call-{number}",
            "status": call.status,
            "direction": call.direction,
            "start_time": call.start.isoformat(),
            "end_time": ended and ended.isoformat(),
            "from": call.from_endpoint,
            "to": call.to_endpoint,
        }
    )
    assert isinstance(one, Observation)
    return one
