"""No time that is stored breaks a page, an export, the stream or the admin, in any time zone."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection as database
from django.test import Client
from django.utils import timezone

from connections_app.calls.ingest import ingest
from connections_app.exports.writing import Format
from connections_app.live.board_reader import Kind, Reader
from connections_app.models import (
    CallTag,
    Connection,
    ConnectionEvent,
    Operator,
    Role,
    Source,
    SyncState,
    Tag,
    Walk,
)
from connections_app.sift.payloads import parse_rows
from connections_app.web.time_zones import Zone
from tests.exports.exported import written

pytestmark = pytest.mark.django_db

FIRST, LAST = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"
# Ahead of UTC and behind it as far as zones go, and one with a summer time.
ZONES = ["Pacific/Kiritimati", "Etc/GMT+12", "America/New_York"]
STORE = "UPDATE connections_app_connection SET started_at = %s, ended_at = %s WHERE connection_id = %s"
# Status, and what is stored as start and end.
STORED = {
    "first": ("finished", FIRST, FIRST),
    "last": ("finished", LAST, LAST),
    "ages": ("finished", FIRST, LAST),
    "reversed": ("finished", LAST, FIRST),
    "now-first": ("connected", FIRST, None),
    "now-last": ("connected", LAST, None),
    "ringing-first": ("connecting", FIRST, None),
    "ringing-last": ("connecting", LAST, LAST),
    "failed": ("failed", None, FIRST),
}


@pytest.fixture
def stored() -> None:
    """Calls with such times, put past everything that would keep them out, with what changed of them."""
    rows = [
        {"connection_id": name, "status": status, "to": "+14155550142", "direction": "incoming"}
        for name, (status, _, _) in STORED.items()
    ]
    ingest(parse_rows(rows)[0], Source.LIST)
    tag = Tag.objects.create(name="odd", colour="red")
    for name, (_, start, end) in STORED.items():
        with database.cursor() as cursor:
            cursor.execute(STORE, [start, end, name])
        call = Connection.objects.get(connection_id=name)
        CallTag.objects.create(connection=call, tag=tag, tagged_by="ana", at=call.at)


@pytest.fixture
def everywhere(client: Client, stored: None, db: None) -> Callable[[str], Client]:
    """An administrator's browser, in a time zone."""

    def sign_in(zone: str) -> Client:
        person = Operator.objects.create(username="ada", time_zone=zone, is_staff=True, is_superuser=True)
        person.groups.add(Group.objects.get(name=Role.ADMINISTRATOR))
        client.force_login(person)
        return client

    return sign_in


def pages() -> list[str]:
    """Addresses that show these calls: in each order, at each end, filtered by time, one by one, and more."""
    lists = ["", "sort=oldest", "sort=longest", "sort=shortest", "tag=odd", "status=finished", "q=415555"]
    ranges = ["since=0001-01-01", "until=0001-01-02", "since=9999-12-30", "until=9999-12-31"]
    calls = [f"/calls/{name}/" for name in STORED]
    return [
        *("/", "/?wall=1", "/sync/", "/exports/", "/v/", "/calls/tags/", "/contacts/"),
        *(f"/calls/?{query}" for query in (*lists, *ranges, "since=2000-01-01&until=2030-01-01")),
        *calls,
        *(f"/calls/{name}/{form}/" for name in ("now-first", "now-last") for form in ("hangup", "routine")),
    ]


@pytest.mark.parametrize("zone", ZONES)
def test_every_page_shows_them(everywhere: Callable[[str], Client], zone: str) -> None:
    person = everywhere(zone)
    statuses = {address: person.get(address).status_code for address in pages()}
    assert {address: status for address, status in statuses.items() if status != 200} == {}


@pytest.mark.parametrize("zone", ZONES)
def test_the_list_is_paged_through_them(
    everywhere: Callable[[str], Client], zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connections_app.call_list.paging.PAGE_ROWS", 2)
    person = everywhere(zone)
    for query in ("sort=newest", "sort=oldest", "sort=longest", "tag=odd"):
        seen, address = [], f"/calls/?{query}"
        while address:
            page = person.get(address)
            seen += [row.call.connection_id for row in page.context["rows"]]
            following = re.search(r'href="([^"]*)" rel="next"', page.content.decode()) or re.search(
                r'rel="next" href="([^"]*)"', page.content.decode()
            )
            address = f"/calls/{following[1].replace('&amp;', '&')}" if following else ""
        assert sorted(seen) == sorted(STORED)


@pytest.mark.parametrize("zone", ZONES)
def test_the_admin_shows_them(everywhere: Callable[[str], Client], zone: str) -> None:
    person = everywhere(zone)
    calls = "/admin/connections_app/connection/"
    details = [f"{calls}{pk}/change/" for pk in Connection.objects.values_list("pk", flat=True)]
    for address in (calls, f"{calls}?status__exact=connected", "/admin/connections_app/walk/", *details):
        assert person.get(address).status_code == 200, address


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("format", Format)
def test_exports_have_them(everywhere: Callable[[str], Client], zone: str, format: Format) -> None:
    person = everywhere(zone)
    whole = written(format=format, zone=zone)
    assert len(whole.splitlines()) == len(STORED) + (format == Format.CSV)
    assert person.get("/calls/export/").status_code != 500


@pytest.mark.parametrize("kind", Kind)
def test_the_stream_carries_them(stored: None, kind: Kind) -> None:
    reader = Reader()
    reader.read_whole([kind])
    assert reader.snapshot(kind)
    assert len(reader.rows) == sum(status in ("connected", "connecting") for status, _, _ in STORED.values())


@pytest.mark.parametrize("zone", ZONES)
def test_a_zone_shows_every_time(zone: str) -> None:
    for moment in (datetime.min, datetime.max, datetime(2026, 7, 1)):
        aware = moment.replace(tzinfo=UTC)
        local = aware.astimezone(Zone(zone))
        assert local.astimezone(UTC) is not None
        assert f"{local:%Y-%m-%d %H:%M:%S %Z}"
    assert local == aware
    assert local.utcoffset() == aware.astimezone(Zone(zone)).utcoffset()


# What an earlier version stored is repaired.

repair = import_module("connections_app.migrations.0008_times_that_cannot_be")


class Editor:
    """What a migration works with."""

    connection = database


def test_the_upgrade_takes_them_out(stored: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repair, "ROWS_AT_ONCE", 2)
    good = timezone.now().replace(microsecond=0) - timedelta(days=1)
    with database.cursor() as cursor:
        cursor.execute(STORE, [good, LAST, "last"])
    SyncState.objects.update(watermark=datetime.max.replace(tzinfo=UTC), full_wanted=False)
    raw = dict(Connection.objects.values_list("connection_id", "raw"))
    before = dict(Connection.objects.values_list("connection_id", "change_number"))
    repair.repair(None, Editor)
    for call in Connection.objects.all():
        start = good if call.connection_id == "last" else None
        assert (call.started_at, call.ended_at, call.talk_seconds) == (start, None, None)
        assert call.at == (start or call.first_seen_at)
        assert CallTag.objects.get(connection=call).at == call.at
        assert call.raw == raw[call.connection_id]
        event = ConnectionEvent.objects.filter(connection=call).latest("change_number")
        assert (event.source, event.change_number) == (Source.UPGRADE, call.change_number)
        assert call.change_number > before[call.connection_id]
    state = SyncState.objects.get()
    assert (state.watermark, state.full_wanted) == (None, True)


def test_the_upgrade_leaves_other_calls_alone() -> None:
    rows = [
        {"connection_id": "a", "status": "finished", "start_time": "2000-01-01T00:00:00Z"},
        {"connection_id": "b", "status": "connecting"},
    ]
    ingest(parse_rows(rows)[0], Source.LIST)
    SyncState.objects.update(watermark=timezone.now(), full_wanted=False)
    before = list(Connection.objects.order_by("pk").values())
    repair.repair(None, Editor)
    assert list(Connection.objects.order_by("pk").values()) == before
    assert not ConnectionEvent.objects.exists()
    assert not SyncState.objects.get().full_wanted


def test_the_timeline_says_what_was_taken_out(everywhere: Callable[[str], Client]) -> None:
    person = everywhere("America/New_York")
    repair.repair(None, Editor)
    shown = person.get("/calls/first/").content.decode()
    assert "Taken out: Started, Ended" in shown or "Taken out: Ended, Started" in shown
    assert "An upgrade of the dashboard: Sift cannot have meant it" in shown


# From whatever source it comes.


@pytest.mark.parametrize("source", [Source.LIST, Source.RETRIEVE, Source.CALLBACK, Source.PLACING])
def test_an_impossible_time_is_noted_on_the_walk(source: Source) -> None:
    Walk.objects.create(full=True, origin=Walk.Origin.SCHEDULE, fence=1, state=Walk.State.COMPLETED)
    walk = Walk.objects.create(full=False, origin=Walk.Origin.SCHEDULE, fence=2)
    row: dict[str, Any] = {"connection_id": "a", "status": "finished", "start_time": FIRST, "end_time": LAST}
    ingest(parse_rows([row])[0], source)
    call = Connection.objects.get()
    assert (call.started_at, call.ended_at, call.raw) == (None, None, row)
    walk.refresh_from_db()
    where = "" if source == Source.LIST else f" ({source.label})"
    assert walk.odd_values == 2
    assert walk.oddities == [
        f"a: start_time: “{FIRST}” is before the year 2000{where}",
        f"a: end_time: “{LAST}” is more than a day ahead{where}",
    ]


def test_twenty_are_kept_in_words_and_all_are_counted() -> None:
    walk = Walk.objects.create(full=False, origin=Walk.Origin.SCHEDULE, fence=1)
    rows = [{"connection_id": f"c{n}", "status": "finished", "end_time": FIRST} for n in range(15)]
    for _ in range(2):
        ingest(parse_rows(rows)[0], Source.LIST)
    walk.refresh_from_db()
    assert (walk.odd_values, len(walk.oddities)) == (30, 20)


def test_without_a_walk_it_is_taken_in_too() -> None:
    ingest(parse_rows([{"connection_id": "a", "status": "failed", "end_time": FIRST}])[0], Source.CALLBACK)
    assert Connection.objects.get().ended_at is None
