"""Every page in a real browser: both themes, wide and narrow, with calls and without."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from connections_app.models import Source
from tests.history.test_pages import seen

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

Open = Callable[..., Page]
SignIn = Callable[[Page], Page]

PAGES = ["/", "/calls/", "/calls/?q=zzz", "/calls/?since=banana", "/sync/", "/accounts/preferences/"]
AXE = "async () => (await axe.run()).violations.map(v => v.id + ': ' + v.nodes.map(n => n.html).join(' | '))"


@pytest.fixture
def with_calls(db: None) -> None:
    started = {"start_time": "2026-05-10T02:28:17Z"}
    seen(
        {"connection_id": "a1", "status": "connecting", "to": "+14155550142", "direction": "incoming"},
        {"connection_id": "a2", "status": "connected", "from": "webrtc:ana", "direction": "outgoing"}
        | started,
        {"connection_id": "a3", "status": "failed", "to": "+15554443333"} | started,
        {"connection_id": "a4", "client_data": {"<b>": "x" * 300}, "from": "+442079460018"} | started,
    )
    seen({"connection_id": "a1", "status": "connected"} | started, source=Source.RETRIEVE)


def violations(page: Page, axe: str) -> list[str]:
    page.evaluate(axe)
    found: list[str] = page.evaluate(AXE)
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_no_page_breaks_the_rules_of_access_or_its_width(
    open_page: Open, sign_in: SignIn, with_calls: None, axe: str, width: int, scheme: str
) -> None:
    page = open_page(width, scheme)
    page.goto("/accounts/login/")
    assert violations(page, axe) == []
    sign_in(page)
    for address in [*PAGES, "/calls/a1/", "/calls/a4/"]:
        page.goto(address)
        assert (address, violations(page, axe)) == (address, [])
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


@pytest.mark.parametrize("width", [1440, 390])
def test_empty_pages_too(open_page: Open, sign_in: SignIn, axe: str, width: int) -> None:
    page = sign_in(open_page(width))
    for address in PAGES[:2]:
        page.goto(address)
        assert (address, violations(page, axe)) == (address, [])


def test_everything_but_movement_works_without_scripts(
    open_page: Open, sign_in: SignIn, with_calls: None
) -> None:
    page = sign_in(open_page(scripts=False))
    page.goto("/calls/")
    page.fill("main input[name=q]", "415 555")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("tbody tr a").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("415")


def test_the_search_in_the_frame_finds_a_call(open_page: Open, sign_in: SignIn, with_calls: None) -> None:
    page = sign_in(open_page())
    page.keyboard.press("/")
    page.keyboard.type("ana")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody")).to_contain_text("ana")


def test_the_board_refreshes_itself_and_durations_tick(
    open_page: Open, sign_in: SignIn, with_calls: None
) -> None:
    page = sign_in(open_page())
    expect(page.locator("tbody tr")).to_have_count(2)
    seen({"connection_id": "new", "status": "connecting", "to": "webrtc:kofi"})
    expect(page.locator("tbody")).to_contain_text("kofi")
    seen({"connection_id": "new", "status": "failed"})
    expect(page.locator("tbody")).not_to_contain_text("kofi")


def test_a_session_that_ended_leads_to_sign_in_and_back(
    open_page: Open, sign_in: SignIn, with_calls: None
) -> None:
    page = sign_in(open_page())
    page.context.clear_cookies()
    page.wait_for_url("**/accounts/login/?next=/")


def test_first_load_and_later_pages_are_light(open_page: Open, sign_in: SignIn, with_calls: None) -> None:
    page = open_page()
    sizes: list[int] = []
    page.on("requestfinished", lambda request: sizes.append(weight(request)))
    sign_in(page)
    page.wait_for_load_state("networkidle")
    first = sum(sizes)
    sizes.clear()
    page.goto("/calls/")
    page.wait_for_load_state("networkidle")
    print(f"first load {first / 1000:.0f} KB, a later page {sum(sizes) / 1000:.0f} KB")
    assert first < 220_000
    assert sum(sizes) < 30_000


def weight(request: Any) -> int:
    sizes = request.sizes()
    return int(sizes["responseBodySize"] + sizes["responseHeadersSize"])
