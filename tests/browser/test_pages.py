"""What pages do in a real browser, and what they weigh."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from connections_app.models import Operator, Source
from tests.browser.conftest import PASSWORD
from tests.factories import seen

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

Open = Callable[..., Page]
SignIn = Callable[..., Page]

FIRST_LOAD, LATER_PAGE = 200_000, 30_000


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


@pytest.mark.parametrize("scripts", [True, False])
def test_a_person_signs_in_by_the_form(open_page: Open, administrator: Operator, scripts: bool) -> None:
    page = open_page(scripts=scripts)
    page.goto("/calls/")
    page.fill("input[name=username]", administrator.username)
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/calls/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Calls")


def test_everything_but_movement_works_without_scripts(
    open_page: Open, sign_in: SignIn, with_calls: None
) -> None:
    page = sign_in(open_page(scripts=False), at="/calls/")
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
    expect(page.locator("tbody")).to_contain_text("Failed")


def test_first_load_and_later_pages_are_light(open_page: Open, sign_in: SignIn, with_calls: None) -> None:
    page = open_page(alone=True)
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    sign_in(page)
    print(f"first load, signing in and the board: {weight(page, asked) / 1000:.1f} KB")
    assert weight(page, asked) < FIRST_LOAD
    for address in ("/calls/", "/calls/a1/", "/routines/", "/calls/place/", "/sync/"):
        asked.clear()
        page.goto(address)
        print(f"then {address}: {weight(page, asked) / 1000:.1f} KB")
        assert weight(page, asked) < LATER_PAGE


def weight(page: Page, asked: list[Request]) -> int:
    """Bytes over the wire, as the browser counts them; the event stream is no part of its page."""
    page.evaluate("document.fonts.ready")
    return sum(over_the_wire(request) for request in list(asked) if urlsplit(request.url).path != "/events/")


def over_the_wire(request: Request) -> int:
    """Nothing for what was called off when its page was left."""
    if request.failure:
        return 0
    sizes = request.sizes()
    is_kept = "/static/" in request.url and not sizes["responseBodySize"]
    return 0 if is_kept else sizes["responseBodySize"] + sizes["responseHeadersSize"]


def test_nothing_moves_for_people_who_prefer_reduced_motion(
    open_page: Open, sign_in: SignIn, with_calls: None
) -> None:
    page = open_page()
    page.emulate_media(reduced_motion="reduce")
    sign_in(page)
    seen({"connection_id": "new", "status": "connecting", "to": "webrtc:kofi"})
    expect(page.locator("tbody")).to_contain_text("kofi")
    assert page.evaluate("document.getAnimations().length") == 0
    page.emulate_media(reduced_motion="no-preference")
    page.wait_for_function("document.getAnimations().length > 0")
