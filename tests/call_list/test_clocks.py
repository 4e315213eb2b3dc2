"""A range holds the calls that clocks say it holds, also on the days on which clocks are changed."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from connections_app.call_list.filters import CallsForm
from connections_app.models import Role, Tag
from tests.contacts.conftest import MakeOperator
from tests.exports.exported import written
from tests.factories import seen

pytestmark = pytest.mark.django_db

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
HAVANA, CAIRO, BEIRUT, APIA = "America/Havana", "Africa/Cairo", "Asia/Beirut", "Pacific/Apia"


def range_of(zone: str, since: str, until: str) -> list[str]:
    """The two ends of a range, as instants."""
    with timezone.override(zone):
        form = CallsForm(QueryDict(urlencode({"since": since, "until": until})))
        assert form.is_valid(), form.errors
    return [f"{form.cleaned_data[name].astimezone(UTC):%m-%dT%H:%M:%S}" for name in ("since", "until")]


@pytest.mark.parametrize(
    ("zone", "since", "until", "instants"),
    [
        # Clocks go back from 3:00 to 2:00, which is 1:00 in UTC.
        (BERLIN, "2026-10-25T02:00", "2026-10-25T02:59:59", ["10-25T00:00:00", "10-25T01:59:59"]),
        (BERLIN, "2026-10-25T02:30", "2026-10-25T02:31", ["10-25T00:30:00", "10-25T01:31:00"]),
        (BERLIN, "2026-10-25T02:30", "2026-10-25T02:15", ["10-25T00:30:00", "10-25T01:15:00"]),
        (BERLIN, "2026-10-25T02:30", "2026-10-25T02:30", ["10-25T00:30:00", "10-25T01:30:00"]),
        (BERLIN, "2026-10-25T01:59", "2026-10-25T03:00", ["10-24T23:59:00", "10-25T02:00:00"]),
        (BERLIN, "2026-10-25", "2026-10-25", ["10-24T22:00:00", "10-25T23:00:00"]),
        (NEW_YORK, "2026-11-01 01:15", "2026-11-01 01:45", ["11-01T05:15:00", "11-01T06:45:00"]),
        # By half an hour.
        (LORD_HOWE, "2026-04-05T01:30", "2026-04-05T01:59", ["04-04T14:30:00", "04-04T15:29:00"]),
        # The hour after midnight, and the hour before it, come twice.
        (HAVANA, "2026-11-01", "2026-11-01", ["11-01T04:00:00", "11-02T05:00:00"]),
        (HAVANA, "2026-10-31", "2026-10-31", ["10-31T04:00:00", "11-01T04:00:00"]),
        (HAVANA, "2026-11-01T00:30", "2026-11-01T00:30", ["11-01T04:30:00", "11-01T05:30:00"]),
        (BEIRUT, "2026-10-24", "2026-10-24", ["10-23T21:00:00", "10-24T22:00:00"]),
        (BEIRUT, "2026-10-24T23:30", "2026-10-24T23:31", ["10-24T20:30:00", "10-24T21:31:00"]),
        # Clocks go forward from 2:00 to 3:00, which is 1:00 in UTC.
        (BERLIN, "2026-03-29T02:30", "2026-03-29T03:30", ["03-29T01:00:00", "03-29T01:30:00"]),
        (BERLIN, "2026-03-29T01:30", "2026-03-29T02:30", ["03-29T00:30:00", "03-29T01:00:00"]),
        (BERLIN, "2026-03-29T02:00", "2026-03-29T03:01", ["03-29T01:00:00", "03-29T01:01:00"]),
        (BERLIN, "2026-03-29", "2026-03-29", ["03-28T23:00:00", "03-29T22:00:00"]),
        # Clocks leave out midnight, and a whole day.
        (CAIRO, "2026-04-24", "2026-04-24", ["04-23T22:00:00", "04-24T21:00:00"]),
        (CAIRO, "2026-04-24T00:30", "2026-04-24T01:30", ["04-23T22:00:00", "04-23T22:30:00"]),
        (APIA, "2011-12-30T15:00", "2011-12-31", ["12-30T10:00:00", "12-31T10:00:00"]),
    ],
)
def test_a_range_holds_each_time_that_clocks_show_twice(
    zone: str, since: str, until: str, instants: list[str]
) -> None:
    assert range_of(zone, since, until) == instants


def test_a_range_that_clocks_leave_out_is_said_to_be_empty() -> None:
    with timezone.override(BERLIN):
        form = CallsForm(QueryDict("since=2026-03-29T02:10&until=2026-03-29T02:50"))
        assert form.errors == {"until": ["This is not after the start of the range."]}


def test_a_zones_own_first_day_is_taken() -> None:
    with timezone.override(BERLIN):
        assert CallsForm(QueryDict("since=1970-01-01")).is_valid()
        assert not CallsForm(QueryDict("since=1969-12-31")).is_valid()


@pytest.fixture
def berlin(client: Client, make_operator: MakeOperator) -> Client:
    client.force_login(make_operator("sam", Role.SUPERVISOR, time_zone=BERLIN))
    return client


def calls_every_half_hour(first: datetime) -> None:
    starts = (first + timedelta(minutes=30) * number for number in range(10))
    seen(*({"connection_id": f"{at:%H%M}", "start_time": f"{at:%Y-%m-%dT%H:%M:%SZ}"} for at in starts))


def test_list_export_and_bulk_tagging_hold_both_hours(berlin: Client) -> None:
    calls_every_half_hour(datetime(2026, 10, 24, 22, 30, tzinfo=UTC))
    query = "since=2026-10-25T02:00&until=2026-10-25T02:59&sort=oldest"
    wanted = ["0000", "0030", "0100", "0130"]
    assert [row.call.connection_id for row in berlin.get(f"/calls/?{query}").context["rows"]] == wanted
    assert [line.split(",")[0] for line in written(query).decode().splitlines()[1:]] == wanted
    Tag.objects.create(name="Night", colour="blue", made_by="ben")
    all_of_them = {"scope": "all", "query": query, "do": "add", "tag": "Night"}
    assert "4 calls</strong>" in berlin.post("/calls/tags/bulk/", all_of_them).content.decode()
