"""The wallboard: large, complete, without anything that acts, and closed to whose link was revoked."""

from collections.abc import Callable

import pytest
import requests
from playwright.sync_api import Page, expect

from connections_app.live import walls
from connections_app.models import Operator, WallLink
from tests.browser.board import is_up, live, row
from tests.browser.rules import TOO_WIDE, violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

Open = Callable[..., Page]
SignIn = Callable[..., Page]
SIZES = [(1920, 1080), (3840, 2160), (1280, 720)]


@pytest.fixture
def link(administrator: Operator) -> WallLink:
    link = WallLink(name="Floor 2")
    walls.share(link, administrator, None)
    return link


@pytest.fixture
def many(db: None) -> None:
    for number in range(30):
        live(f"c{number:02}", start_time=f"2026-05-10T02:{number:02}:00Z", to=f"+141555501{number:02}")


def test_it_is_reached_from_the_board_and_leads_back(open_page: Open, sign_in: SignIn) -> None:
    page = sign_in(open_page())
    page.get_by_role("link", name="Wallboard").click()
    is_up(page)
    expect(page.locator(".freshness")).to_contain_text("Never synced")
    # Those of an earlier test have left by then.
    expect(page.get_by_text("No calls in progress")).to_be_visible(timeout=15_000)
    live("one", to="webrtc:ana")
    expect(row(page, "one")).to_contain_text("ana")
    live("one", to="webrtc:ana", status="finished")
    expect(row(page, "one")).to_contain_text("Finished")
    page.get_by_role("link", name="Back to the board").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Calls in progress")


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_it_fits_the_screen_and_counts_the_rest(
    open_page: Open, sign_in: SignIn, many: None, width: int, height: int
) -> None:
    page = sign_in(open_page())
    page.set_viewport_size({"width": width, "height": height})
    page.goto("/?wall=1")
    is_up(page)
    fits = page.locator("#calls tr:not(.is-beyond, [data-over])").count()
    expect(page.locator("#more")).to_have_text(f"{30 - fits} more")
    assert 5 <= fits < 30
    assert page.evaluate("document.documentElement.scrollHeight") <= height
    size = float(
        page.locator("#calls td").first.evaluate("(cell) => parseFloat(getComputedStyle(cell).fontSize)")
    )
    # Read at four metres: letters of a fiftieth of the screen's width.
    assert size >= width / 50


def test_on_a_phone_it_scrolls(open_page: Open, sign_in: SignIn, many: None) -> None:
    page = sign_in(open_page(390), at="/?wall=1")
    is_up(page)
    expect(page.locator("#calls tr:visible")).to_have_count(30)
    assert page.evaluate(TOO_WIDE, 390) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_breaks_no_rule_of_access(
    open_page: Open, sign_in: SignIn, many: None, axe: str, scheme: str
) -> None:
    page = sign_in(open_page(1920, scheme), at="/?wall=1")
    assert violations(is_up(page), axe) == []


def test_a_link_shows_it_without_signing_in_and_without_numbers(
    open_page: Open, server: str, link: WallLink, many: None
) -> None:
    page = open_page()
    page.goto(f"/wall/{link.token}/")
    expect(row(is_up(page), "c00")).to_contain_text("0100")
    assert "5550100" not in page.content().replace("-", "")
    assert page.get_by_role("link").count() == 0
    live("new", to="+442079460018")
    expect(row(page, "new")).to_contain_text("London")
    expect(page.locator("#calls")).not_to_contain_text("7946")


def test_a_revoked_link_ends_it_for_good(
    open_page: Open, server: str, link: WallLink, administrator: Operator
) -> None:
    page = open_page()
    page.goto(f"/wall/{link.token}/")
    is_up(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    walls.revoke(link, administrator, None)
    expect(page.get_by_text("This link was revoked.")).to_be_visible()
    expect(page.locator(".freshness")).to_contain_text("Link revoked")
    page.evaluate("dispatchEvent(new Event('online'))")
    live("one")
    expect(row(page, "one")).to_have_count(0)
    assert asked == []
    assert requests.get(f"{server}/wall/{link.token}/", timeout=10).status_code == 404
