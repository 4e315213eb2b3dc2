"""Everybody who watches is told every change at once, and nobody is told after they have left."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.contrib.sessions.models import Session
from django.db import connection as database
from django.utils import timezone

from connections_app.calls import notify
from connections_app.calls.ingest import doubt
from connections_app.live import feed, walls
from connections_app.live.events import Events
from connections_app.models import Connection, Doubt, Operator, Role, Source, SyncState, WallLink
from sift_dashboard.asgi import pages
from tests.conftest import in_a_loop
from tests.control.conftest import Dashboard, account, running_dashboard
from tests.factories import seen
from tests.live.conftest import NOBODY, Stream, Watch, cookie_of, row_of

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Make = Callable[..., Operator]


@pytest.fixture
def ana(make_operator: Make) -> Operator:
    return make_operator("ana", Role.OPERATOR)


def live(connection_id: str = "a1", **fields: str) -> Connection:
    """A call that is seen now, announced as any other."""
    seen({"connection_id": connection_id, "status": "connected", "to": "+14155550142"} | fields)
    return Connection.objects.get(connection_id=connection_id)


def unheard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes are committed from here on, and never announced: as when a process is killed in between."""
    monkeypatch.setattr(notify, "_publish", lambda where, told: None)


def test_a_stream_begins_with_the_whole_board(watch: Watch, ana: Operator) -> None:
    live("a1")
    live("a2", status="connecting")
    seen({"connection_id": "past"})
    stream = watch(ana)
    told = stream.next("snapshot")
    assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert stream.headers["x-accel-buffering"] == "no"
    assert {row["call"]: row["status"] for row in told["rows"]} == {"a1": "connected", "a2": "connecting"}
    assert 'id="call-' in told["rows"][0]["html"]
    assert (told["stale"], told["more"]) == (None, 0)


def test_a_change_reaches_everybody_who_watches(watch: Watch, ana: Operator, make_operator: Make) -> None:
    streams = [watch(ana), watch(make_operator("kofi")), watch(ana, "?brief"), watch(ana, "?wall=1")]
    for stream in streams:
        stream.next("snapshot")
    live("a1", status="connecting")
    live("a1")
    for stream in streams:
        assert stream.until(lambda told: (row_of(told, "a1") or {}).get("status") == "connected", "calls")


def test_a_call_that_ended_stays_on_the_board_for_a_while(watch: Watch, ana: Operator) -> None:
    live("a1")
    stream = watch(ana)
    stream.next("snapshot")
    live("a1", status="finished")
    told = stream.until(lambda told: row_of(told, "a1"), "calls")
    over = row_of(told, "a1")
    assert over
    assert over["status"] == "finished"
    assert over["over"]
    assert "data-over=" in over["html"]
    # Who comes in these ten seconds sees it too.
    assert row_of(watch(ana).next("snapshot"), "a1")


def test_a_call_that_was_cleared_leaves_at_once(watch: Watch, ana: Operator) -> None:
    call = live("a1")
    stream = watch(ana)
    stream.next("snapshot")
    doubt(call, Doubt.LOST, Source.PERSON)
    told = stream.until(lambda told: told["gone"], "calls")
    assert told["gone"] == [call.pk]


def test_a_call_that_is_over_is_sent_as_its_id(watch: Watch, ana: Operator) -> None:
    seen({"connection_id": "past", "status": "finished"})
    stream = watch(ana, "?brief")
    stream.next("snapshot")
    seen({"connection_id": "past", "status": "finished", "end_time": "2026-11-24T13:00:00Z"})
    assert stream.until(lambda told: "past" in told["others"], "calls")["rows"] == []


def test_a_lost_announcement_is_made_good(
    watch: Watch, ana: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen({"connection_id": "past", "status": "finished"})
    live("a1")
    stream = watch(ana)
    stream.next("snapshot")
    unheard(monkeypatch)
    live("a2")
    live("a1", status="failed")
    seen({"connection_id": "past", "status": "finished", "end_time": "2026-11-24T13:00:00Z"})
    missing = {"a1": "failed", "a2": "connected", "past": "changed"}
    while missing:
        told = stream.next("calls")
        for row in told["rows"]:
            missing.pop(row["call"]) if missing.get(row["call"]) == row["status"] else None
        for connection_id in told["others"]:
            missing.pop(connection_id, None)


def test_the_freshness_mark_comes_as_soon_as_it_changes(watch: Watch, ana: Operator) -> None:
    stream = watch(ana, "?brief")
    assert "Never synced" in stream.next("snapshot")["mark"]
    SyncState.objects.update(fresh_at=timezone.now())
    notify.announce()
    assert "Synced" in stream.until(lambda told: "Synced" in told["mark"], "heartbeat")["mark"]


def test_who_is_not_signed_in_gets_401(dashboard: Dashboard, ana: Operator) -> None:
    address = f"{dashboard.address}/events/"
    for query in ("", "?brief", "?wall=1", "?wall=wrong"):
        assert requests.get(address + query, timeout=10).status_code == 401
    cookie = {"Cookie": cookie_of(ana)}
    assert requests.head(address, headers=cookie, timeout=10).status_code == 200
    assert requests.post(address, headers=cookie, timeout=10).status_code == 405
    assert requests.get(address, headers=cookie | {"Host": "elsewhere"}, timeout=10).status_code == 400


@pytest.mark.parametrize(
    ("query", "cookie"),
    [
        ("?wall=%5Cz", ""),
        ("?wall=%00", ""),
        (f"?wall={'x' * 43}", ""),
        ("", 'sessionid="\\000\\000\\000\\000\\000\\000\\000\\000"'),
        ("", f"sessionid={'é' * 20}"),
    ],
)
def test_hostile_visitors_are_nobody_and_shut_out_nobody(
    dashboard: Dashboard, watch: Watch, ana: Operator, query: str, cookie: str
) -> None:
    address = f"{dashboard.address}/events/{query}"
    headers = {"Cookie": cookie.encode()}
    assert requests.get(address, headers=headers, timeout=10).status_code == 401
    assert requests.get(f"{dashboard.address}/", headers=headers, timeout=10).status_code == 200
    assert watch(ana, "?brief").status == 200


def test_too_many_fields_are_a_bad_request(dashboard: Dashboard) -> None:
    assert requests.get(f"{dashboard.address}/events/?{'a&' * 12_001}", timeout=10).status_code == 400


@pytest.mark.parametrize("token", ["%5Cz", "%00", "x" * 43, "x"])
def test_a_wall_that_was_never_made_is_not_found(dashboard: Dashboard, token: str) -> None:
    assert requests.get(f"{dashboard.address}/wall/{token}/", timeout=10).status_code == 404


@pytest.mark.parametrize("how", ["signs out", "is switched off", "has a new password", "was idle too long"])
def test_the_stream_ends_for_who(watch: Watch, dashboard: Dashboard, ana: Operator, how: str) -> None:
    stream, other = watch(ana), watch(ana)
    for one in (stream, other):
        one.next("snapshot")
    match how:
        case "signs out":
            Session.objects.get(session_key=stream.cookie.partition("=")[2]).delete()
        case "is switched off":
            Operator.objects.update(is_active=False)
        case "has a new password":
            ana.set_password("another horse battery")
            ana.save()
        case _:
            Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert stream.next("bye")["why"] == "signed-out"
    assert stream.ends()
    again = requests.get(f"{dashboard.address}/events/", headers={"Cookie": stream.cookie}, timeout=10)
    assert again.status_code == 401
    # A sign-out ends the streams of that browser alone.
    if how == "signs out":
        live("a1")
        assert other.until(lambda told: row_of(told, "a1"), "calls")


def test_who_takes_gzip_is_sent_the_same_in_fewer_bytes(
    watch: Watch, dashboard: Dashboard, ana: Operator
) -> None:
    for n in range(20):
        live(f"a{n}")
    with requests.get(
        f"{dashboard.address}/events/", headers={"Cookie": cookie_of(ana)}, stream=True, timeout=30
    ) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        lines = answer.iter_lines()
        assert next(lines) == b"event: snapshot"
        told = json.loads(next(lines).partition(b": ")[2])
        # One of an earlier test may still be leaving.
        assert len([row for row in told["rows"] if row["over"] is None]) == 20
        assert answer.raw.tell() < len(json.dumps(told)) / 5
        Operator.objects.update(is_active=False)
        assert b"event: bye" in list(lines)


def test_a_stream_does_not_keep_a_session_alive(watch: Watch, ana: Operator) -> None:
    stream = watch(ana)
    stream.next("snapshot")
    before = Session.objects.get().expire_date
    live("a1")
    stream.until(lambda told: row_of(told, "a1"), "calls")
    assert Session.objects.get().expire_date == before


def test_a_wall_is_watched_by_its_link_until_that_is_revoked(
    watch: Watch, dashboard: Dashboard, ana: Operator
) -> None:
    live("a1")
    link = WallLink(name="Floor 2")
    walls.share(link, ana, None)
    stream = watch(None, f"?wall={link.token}")
    told = stream.next("snapshot")["rows"][0]
    assert "+14155550142" not in told["html"]
    assert "555-0142" not in told["html"]
    assert "0142" in told["html"]
    page = requests.get(f"{dashboard.address}/wall/{link.token}/", timeout=10)
    assert (page.status_code, "555-0142" in page.text) == (200, False)
    walls.revoke(link, ana, None)
    assert stream.next("bye")["why"] == "revoked"
    assert stream.ends()
    assert requests.get(f"{dashboard.address}/wall/{link.token}/", timeout=10).status_code == 404


def test_a_reader_that_fell_behind_starts_again_from_the_whole_board(
    ana: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "MAX_EVENTS", 3)
    told = in_a_loop(told_to_a_slow_reader(cookie_of(ana)))
    names = [line.partition(b": ")[2] for line in told.split(b"\n") if line.startswith(b"event")]
    assert names.count(b"snapshot") == 2
    assert b'"c9"' in told.rpartition(b"event: snapshot")[2]


async def told_to_a_slow_reader(cookie: str) -> bytes:
    """What is sent to a reader that takes nothing after its first event until ten calls have begun."""
    told, ready, begun = bytearray(), asyncio.Event(), asyncio.Event()
    scope = {"type": "http", "method": "GET", "path": "/events/", "query_string": b""}
    headers = [(b"host", b"localhost"), (b"cookie", cookie.encode())]

    async def send(message: Any) -> None:
        if told:
            ready.set()
            await begun.wait()
        told.extend(message.get("body", b""))

    async def receive() -> Any:
        while b'"c9"' not in told.rpartition(b"event: snapshot")[2]:
            await asyncio.sleep(0.02)
        return {"type": "http.disconnect"}

    events = Events(pages)
    stream = asyncio.create_task(events(scope | {"headers": headers}, receive, send))
    while not told:
        await asyncio.sleep(0.02)
    for n in range(10):
        heads = head_of(events)
        await asyncio.to_thread(begin, f"c{n}")
        while head_of(events) == heads:
            await asyncio.sleep(0.02)
    await ready.wait()
    begun.set()
    await asyncio.wait_for(stream, 10)
    return bytes(told)


def head_of(events: Events) -> int:
    broadcaster = events.hub.broadcaster
    return broadcaster.feed.head if broadcaster else 0


def begin(connection_id: str) -> None:
    """As `live`, in another thread."""
    try:
        live(connection_id)
    finally:
        database.close()


def test_an_open_stream_holds_no_connection_to_the_database(watch: Watch, ana: Operator) -> None:
    for _ in range(5):
        watch(ana).next("snapshot")
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'"
            " AND pid <> pg_backend_pid() AND application_name = 'sift_dashboard'"
        )
        assert cursor.fetchone()[0] <= 1


def test_a_killed_web_process_is_followed_by_a_whole_board(ana: Operator) -> None:
    live("a1")
    with running_dashboard(account(NOBODY)) as dashboard:
        stream = Stream(dashboard, cookie_of(ana)).open()
        stream.next("snapshot")
        dashboard.kill()
        assert stream.ends()
    live("a1", status="finished")
    live("a2")
    with running_dashboard(account(NOBODY), port=urlsplit(dashboard.address).port or 0) as again:
        told = Stream(again, cookie_of(ana)).open().next("snapshot")
    assert [row["call"] for row in told["rows"]] == ["a2"]
