"""The stream in a real browser: lost and found again, let go of, ended; and what pages say of it."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import Page, expect

from connections_app.calls.notify import announce
from connections_app.models import Operator, SyncState
from launch.valkey import Valkey
from tests.browser.board import hide_tab, is_up, live, row, shown
from tests.conftest import Sandbox, wait_until
from tests.control.conftest import Dashboard, account, running_dashboard
from tests.live.conftest import cookie_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

Open = Callable[..., Page]
SignIn = Callable[..., Page]
Start = Callable[..., Dashboard]
NOTE_CONNECTIONS = """() => {
    window.told = [];
    window.snapshots = 0;
    document.addEventListener('live:connection', (event) => told.push(event.detail.connection));
    document.addEventListener('live:snapshot', () => (snapshots += 1));
}"""
# A page that was read anew has forgotten it.
REMEMBER = "window.isSamePage = true"


@pytest.fixture
def start(sift: Sandbox, transactional_db: None) -> Iterator[Start]:
    """Start a web process that may be killed, with other variables or at a known port."""
    with ExitStack() as started:

        def start(port: int = 0, **environment: str) -> Dashboard:
            return started.enter_context(running_dashboard(account(sift.url) | environment, port))

        yield start


def open_at(page: Page, dashboard: Dashboard, operator: Operator) -> Page:
    """The board of another web process, by `operator`."""
    name, _, value = cookie_of(operator).partition("=")
    page.context.add_cookies([{"name": name, "value": value, "url": dashboard.address}])
    page.goto(f"{dashboard.address}/")
    return is_up(page)


def test_a_killed_web_process_is_found_again_and_the_board_is_whole(
    open_page: Open, start: Start, administrator: Operator
) -> None:
    for name in ("stays", "ends", "changes"):
        live(name)
    dashboard = start()
    page = open_at(open_page(), dashboard, administrator)
    page.evaluate(REMEMBER)
    dashboard.kill()
    expect(page.locator("#freshness")).to_contain_text(re.compile(r"Reconnecting… since \d\d:\d\d:\d\d"))
    expect(
        page.get_by_text(re.compile("The dashboard does not answer. These calls are as they were at"))
    ).to_be_visible()
    expect(page.locator("#alarms")).to_have_text("The dashboard does not answer. Reconnecting.")
    assert page.locator(".live").evaluate("(table) => getComputedStyle(table).filter") == "grayscale(1)"
    live("ends", status="finished")
    live("changes", status="connected", direction="incoming")
    live("begins", status="connecting")
    start(urlsplit(dashboard.address).port or 0)
    expect(page.locator("body")).to_have_attribute("data-connection", "up", timeout=15_000)
    expect(page.locator("#alarms")).to_be_empty()
    assert shown(page) == ["stays", "changes", "begins"]
    expect(row(page, "changes")).to_contain_text("Sift called out")
    assert page.evaluate("window.isSamePage")
    live("begins", status="connected")
    expect(row(page, "begins")).to_contain_text("Connected")


def test_a_restart_that_takes_a_moment_alarms_nobody(open_page: Open, sign_in: SignIn, server: str) -> None:
    page = is_up(sign_in(open_page()))
    page.evaluate(NOTE_CONNECTIONS)
    page.evaluate("dispatchEvent(new Event('offline'))")
    page.wait_for_function("() => snapshots === 1")
    assert page.evaluate("told") == []


def test_valkey_goes_away_and_comes_back(
    open_page: Open, start: Start, valkey: Valkey, administrator: Operator
) -> None:
    page = open_at(open_page(), start(REDIS_URL=valkey.have()), administrator)
    valkey.stop()
    expect(page.locator("#freshness")).to_contain_text(re.compile(r"Stale since \d\d:\d\d:\d\d"))
    expect(page.locator("[data-note]")).to_contain_text("Valkey does not answer: the sync rests")
    live("one")
    expect(row(page, "one")).to_be_visible()
    valkey.have()
    expect(page.locator("#freshness")).not_to_contain_text("Stale")
    expect(page.locator("[data-note]")).to_be_hidden()
    assert shown(page) == ["one"]


def test_a_half_open_connection_is_noticed(open_page: Open, sign_in: SignIn, server: str) -> None:
    page = open_page(alone=True)
    page.clock.install()
    is_up(sign_in(page))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.fast_forward(40_000)
    wait_until(lambda: page.evaluate("1") and [one for one in asked if "/events/" in one])
    is_up(page)


def test_the_mark_says_how_fresh_the_page_is(open_page: Open, sign_in: SignIn) -> None:
    page = sign_in(open_page(), at="/calls/")
    mark = page.locator("#freshness")
    expect(mark).to_contain_text("Never synced")
    SyncState.objects.update(fresh_at=timezone.now())
    announce()
    expect(mark).to_contain_text(re.compile(r"Live · synced \d s ago"))
    minute_ago = timezone.now() - timedelta(minutes=1)
    SyncState.objects.update(failing_since=timezone.now(), heard_at=minute_ago)
    announce()
    expect(mark).to_contain_text(re.compile(r"Sift has not answered since \d\d:\d\d"))
    expect(page.locator("body")).to_have_attribute("data-stale", "")
    SyncState.objects.update(failing_since=None, paused_at=timezone.now())
    announce()
    expect(mark).to_contain_text("Sync paused since")
    SyncState.objects.update(paused_at=None, fresh_at=timezone.now() - timedelta(minutes=5))
    announce()
    expect(mark).to_have_text("Synced 5 min ago", use_inner_text=True)


def test_times_come_over_the_stream_in_the_persons_zone(
    open_page: Open, sign_in: SignIn, administrator: Operator
) -> None:
    administrator.time_zone = "Asia/Kolkata"
    administrator.save()
    page = is_up(sign_in(open_page(2560)))
    live("one", start_time=(timezone.now() - timedelta(days=40)).isoformat())
    cells = (
        "(row) => [...row.querySelectorAll('time')].map((time) => [time.textContent, time.title]).slice(-1)"
    )
    expect(row(page, "one")).to_be_visible()
    told = row(page, "one").evaluate(cells)
    assert told[0][1].endswith(" IST")
    page.reload()
    drawn = page.evaluate("async () => (await fetch('/')).text()")
    assert all(words in drawn for words in told[0])


def test_signing_out_in_one_tab_ends_the_other_for_good(open_page: Open, sign_in: SignIn) -> None:
    page = sign_in(open_page(), at="/calls/place/")
    page.get_by_label("Phone number").fill("(415) 555-0142")
    other = page.context.new_page()
    is_up(page)
    other.goto("/")
    other.locator("[data-menu].menu .person").click()
    other.get_by_role("button", name="Sign out").click()
    other.wait_for_url("**/accounts/login/")
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    expect(page.locator("#freshness")).to_have_text("Signed out", use_inner_text=True)
    assert page.get_by_label("Phone number").input_value() == "(415) 555-0142"
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for _ in range(2):
        hide_tab(page)
        hide_tab(page, hidden=False)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("body")).to_have_attribute("data-connection", "ended")
    assert asked == []
    page.get_by_role("link", name="Sign in and come back").click()
    # The field that is left is checked, which leads there as well, with the address written otherwise.
    page.wait_for_url(re.compile(r"/accounts/login/\?next=(/|%2F)calls(/|%2F)place(/|%2F)$"))


def test_a_session_that_ended_meanwhile_is_noticed(open_page: Open, sign_in: SignIn) -> None:
    page = is_up(sign_in(open_page()))
    hide_tab(page)
    Session.objects.all().delete()
    hide_tab(page, hidden=False)
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    assert page.url.endswith("/")


def test_a_hidden_tab_lets_go_and_catches_up(open_page: Open, sign_in: SignIn) -> None:
    live("ends")
    page = is_up(sign_in(open_page()))
    page.evaluate(REMEMBER)
    hide_tab(page)
    expect(page.locator("body")).to_have_attribute("data-connection", "resting")
    live("ends", status="finished")
    live("begins")
    page.evaluate("new Promise(requestAnimationFrame)")
    assert shown(page) == ["ends"]
    hide_tab(page, hidden=False)
    expect(row(page, "begins")).to_be_visible()
    expect(page.locator("#alarms")).to_be_empty()
    assert page.evaluate("window.isSamePage")


def test_the_page_of_a_call_shows_its_changes(open_page: Open, sign_in: SignIn) -> None:
    live("one", status="connecting")
    page = sign_in(open_page(), at="/calls/one/")
    is_up(page)
    page.locator("#raw-summary").click()
    page.locator("#raw-summary").focus()
    asked: list[str] = []
    live("two")
    live("one", status="connected")
    expect(page.locator("header .look-connected")).to_be_visible()
    page.on("request", lambda request: asked.append(request.url))
    assert page.locator("#raw").get_attribute("open") is not None
    assert page.evaluate("document.activeElement.id") == "raw-summary"
    live("two", status="failed")
    live("one", status="finished")
    expect(page.locator("header .look-finished")).to_be_visible()
    assert len(asked) == 1
    # What is over may still change.
    live("one", status="finished", end_time="2026-05-10T02:28:17Z")
    expect(page.locator(".happened")).to_contain_text("28:17")


def test_a_calls_page_is_not_read_again_while_its_hang_up_is_armed(open_page: Open, sign_in: SignIn) -> None:
    live("one", status="connecting")
    page = sign_in(open_page(), at="/calls/one/")
    is_up(page)
    page.get_by_role("link", name="Hang up").click()
    told = "window.told = 0; document.addEventListener('live:calls', () => (told += 1))"
    page.evaluate(told)
    live("one", status="connected")
    page.wait_for_function("() => told > 0")
    expect(page.get_by_role("button", name="Keep")).to_be_focused()
    expect(page.locator("header .look-connecting")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("header .look-connected")).to_be_visible()
