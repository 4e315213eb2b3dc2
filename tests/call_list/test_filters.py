"""What a query string asks for, and what it must not silently ignore."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from django.utils import timezone

from connections_app.call_list.filters import CallsForm
from connections_app.call_list.links import chips, filters_query, quick_ranges
from connections_app.sift.numbers import search_text


def cleaned(query: str) -> dict[str, object]:
    form = CallsForm(QueryDict(query))
    assert form.is_valid(), form.errors
    return form.cleaned_data


def errors(query: str) -> dict[str, list[str]]:
    return {name: list(messages) for name, messages in CallsForm(QueryDict(query)).errors.items()}


@pytest.mark.parametrize(
    ("written", "searched"),
    [
        ("(415) 555-0142", "4155550142"),
        ("+1 415 555", "+1415555"),
        ("415.555", "415555"),
        (" ana ", "ana"),
        ("bb09-c6", "bb09-c6"),
        ("-", "-"),
    ],
)
def test_numbers_are_searched_as_people_write_them(written: str, searched: str) -> None:
    assert search_text(written) == searched


def test_a_date_is_the_persons_day() -> None:
    with timezone.override("Europe/Berlin"):
        asked = cleaned("since=2026-05-31&until=2026-05-31")
    assert asked["since"] == datetime(2026, 5, 30, 22, tzinfo=UTC)
    assert asked["until"] == datetime(2026, 5, 31, 22, tzinfo=UTC)


def test_a_day_on_which_the_clocks_change_has_its_own_length() -> None:
    with timezone.override("Europe/Berlin"):
        asked = cleaned("since=2026-10-25&until=2026-10-25")
    since, until = asked["since"], asked["until"]
    assert isinstance(since, datetime)
    assert isinstance(until, datetime)
    assert (until.astimezone(UTC) - since.astimezone(UTC)).total_seconds() == 25 * 3600


def test_a_time_is_the_persons_time() -> None:
    with timezone.override("America/New_York"):
        asked = cleaned("since=2026-05-31T14:30")
    assert asked["since"] == datetime(2026, 5, 31, 14, 30, tzinfo=ZoneInfo("America/New_York"))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=ringing", "status"),
        ("direction=up", "direction"),
        ("since=yesterday", "since"),
        ("since=0000-01-01", "since"),
        ("since=9999-12-31", "since"),
        ("until=9999-12-31", "until"),
        ("until=2026-02-30", "until"),
        ("since=2026-05-31T25:00", "since"),
        ("since=2026-05-31&until=2026-05-30", "until"),
        ("q=" + "x" * 201, "q"),
        ("q=a%00b", "q"),
    ],
)
def test_what_cannot_be_understood_is_said_at_its_field(query: str, field: str) -> None:
    assert list(errors(query)) == [field]


def test_each_value_has_a_chip_that_takes_it_away() -> None:
    query = QueryDict("q=415+555&status=failed&status=finished&below=1-1")
    shown = {chip.label: chip.remove_url for chip in chips(CallsForm(query), query)}
    assert shown == {
        "contains 415 555": "?status=failed&status=finished",
        "Failed": "?q=415+555&status=finished",
        "Finished": "?q=415+555&status=failed",
    }


def test_quick_ranges_keep_the_other_filters() -> None:
    ranges = quick_ranges(QueryDict("status=failed&when=yesterday"))
    assert [one.label for one in ranges if one.is_active] == ["Yesterday"]
    assert ranges[0].url == "?status=failed"


@pytest.mark.parametrize(
    ("when", "since", "until"),
    [
        ("today", datetime(2026, 3, 29, 23), None),
        ("yesterday", datetime(2026, 3, 28, 23), datetime(2026, 3, 29, 22)),
    ],
)
def test_days_in_words_are_the_persons_days(
    monkeypatch: pytest.MonkeyPatch, when: str, since: datetime, until: datetime | None
) -> None:
    monkeypatch.setattr(timezone, "localdate", lambda: date(2026, 3, 30))
    with timezone.override("Europe/Berlin"):
        asked = cleaned(f"when={when}")
    assert asked["since"] == (since - timedelta(hours=when == "today")).replace(tzinfo=UTC)
    assert asked["until"] == (until and until.replace(tzinfo=UTC))


def test_days_in_words_go_with_no_dates() -> None:
    assert list(errors("when=today&since=2026-05-01")) == ["when"]
    assert list(errors("when=tomorrow")) == ["when"]


def test_a_query_stands_the_same_however_it_is_written() -> None:
    one = filters_query(QueryDict("status=failed&q=415+&status=finished&sort=newest&below=1-1"))
    assert one == filters_query(QueryDict("q=415&status=finished&status=failed&status=failed"))
    assert one == "q=415&status=failed&status=finished"
