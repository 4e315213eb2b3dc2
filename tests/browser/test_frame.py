"""The frame of every page in a real browser: search, columns, keys and preferences."""

import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from connections_app.models import Operator
from tests.browser.conftest import NUMBER
from tests.browser.rules import violations
from tests.conftest import wait_until
from tests.factories import many, seen

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

Open = Callable[..., Page]
SignIn = Callable[[Page], Page]


@pytest.fixture
def page(open_page: Open, sign_in: SignIn, calls: None) -> Page:
    page = sign_in(open_page(), at="/calls/")
    return page


def test_a_call_is_found_and_opened_by_keys_alone(page: Page, axe: str) -> None:
    page.keyboard.press("/")
    box = page.get_by_role("combobox", name="Search all calls")
    expect(box).to_be_focused()
    expect(box).to_have_attribute("aria-expanded", "false")
    page.keyboard.type("415 555")
    options = page.get_by_role("option")
    expect(options).to_have_count(3)
    expect(box).to_have_attribute("aria-expanded", "true")
    expect(options.first.locator("mark")).to_have_text("415-555")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-activedescendant", "suggestion-2")
    expect(box).to_be_focused()
    assert violations(page, axe) == []
    page.keyboard.press("Enter")
    page.wait_for_url("**/calls/a1/")


def test_the_arrows_go_round_and_pass_the_box_itself(page: Page) -> None:
    page.fill("#search", "415 555")
    options = page.get_by_role("option")
    expect(options).to_have_count(3)
    page.keyboard.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(page.locator("[aria-selected=true]")).to_have_count(0)
    expect(page.locator("#search")).not_to_have_attribute("aria-activedescendant", re.compile("."))


def test_enter_without_a_choice_searches_all_calls(page: Page) -> None:
    page.fill("#search", "ana")
    expect(page.get_by_role("option")).to_have_count(2)
    page.keyboard.press("Enter")
    page.wait_for_url("**/calls/?q=ana")
    expect(page.locator("tbody tr")).to_have_count(1)


def test_escape_closes_the_list_and_leaves_what_was_typed(page: Page) -> None:
    page.fill("#search", "415 555")
    expect(page.get_by_role("listbox")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    expect(page.locator("#search")).to_have_value("415 555")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("listbox")).to_be_visible()


def test_a_suggestion_is_opened_with_the_mouse(page: Page) -> None:
    page.fill("#search", "ana")
    page.get_by_role("option", name="browser client").click()
    page.wait_for_url("**/calls/a3/")


def test_the_list_closes_when_the_box_is_left(page: Page) -> None:
    page.fill("#search", "ana")
    expect(page.get_by_role("listbox")).to_be_visible()
    page.locator(".found-count").click()
    expect(page.get_by_role("listbox")).to_be_hidden()


def test_nothing_found_and_too_little_are_said(page: Page) -> None:
    page.fill("#search", "zzz")
    words = page.locator(".suggestions-words")
    expect(words).to_have_text("No call has “zzz” in a number, a name or its id.")
    expect(page.locator("#announcements")).to_have_text("No call has “zzz” in a number, a name or its id.")
    expect(page.locator("#search")).to_have_attribute("aria-expanded", "false")
    page.fill("#search", "zz")
    expect(words).to_have_text("Type on: three characters or more.")
    page.fill("#search", "")
    expect(page.locator("#suggestions")).to_be_hidden()


def test_a_whole_number_leads_to_the_form_that_calls_it(page: Page) -> None:
    page.fill("#search", "(212) 555-0199")
    page.get_by_role("option", name="Call +1 212-555-0199").click()
    page.wait_for_url("**/calls/place/**")
    expect(page.get_by_label("Phone number")).to_have_value("+12125550199")


def test_a_slow_answer_holds_no_later_one_up(page: Page) -> None:
    never_answered: list[Route] = []
    page.route(re.compile(r"/calls/search/\?q=415$"), lambda route: never_answered.append(route))
    page.fill("#search", "415")
    wait_until(lambda: page.evaluate("1") and never_answered)
    page.fill("#search", "ana")
    expect(page.get_by_role("option").last).to_have_text("All calls with “ana”")
    page.unroute_all(behavior="ignoreErrors")


def test_suggestions_fit_on_a_phone(open_page: Open, sign_in: SignIn, calls: None, axe: str) -> None:
    page = sign_in(open_page(360, "dark"))
    page.fill("#search", "415 555")
    expect(page.get_by_role("option")).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert violations(page, axe) == []


def test_the_search_box_works_without_scripts(open_page: Open, sign_in: SignIn, calls: None) -> None:
    page = sign_in(open_page(scripts=False))
    expect(page.get_by_role("searchbox", name="Search all calls")).to_be_visible()
    page.fill("#search", "ana")
    page.keyboard.press("Enter")
    page.wait_for_url("**/calls/?q=ana")
    expect(page.locator("tbody tr")).to_have_count(1)


# Columns


def test_a_column_that_is_hidden_stays_hidden(page: Page, axe: str) -> None:
    page.get_by_text("Columns", exact=True).click()
    assert violations(page, axe) == []
    with page.expect_response("**/accounts/columns/"):
        page.get_by_label("Direction", exact=True).uncheck()
    expect(page.locator("th.c-direction")).to_be_hidden()
    expect(page.locator("td.c-direction").first).to_be_hidden()
    page.reload()
    expect(page.locator("td.c-direction").first).to_be_hidden()
    expect(page.locator("td.c-since").first).to_be_visible()
    page.get_by_text("Columns", exact=True).click()
    with page.expect_response("**/accounts/columns/"):
        page.get_by_label("Direction", exact=True).check()
    expect(page.locator("td.c-direction").first).to_be_visible()
    assert Operator.objects.get().hidden_columns == {"calls": []}


def test_the_board_has_a_choice_of_its_own(page: Page) -> None:
    seen({"connection_id": "live", "status": "connected", "to": NUMBER})
    page.goto("/")
    expect(page.locator("td.c-direction")).to_be_visible()
    page.get_by_text("Columns", exact=True).click()
    with page.expect_response("**/accounts/columns/"):
        page.get_by_label("Direction", exact=True).uncheck()
    expect(page.locator("td.c-direction")).to_be_hidden()
    page.reload()
    expect(page.locator("td.c-direction")).to_be_hidden()
    seen({"connection_id": "later", "status": "connected", "to": "webrtc:kofi"})
    expect(page.locator("td.c-with", has_text="kofi")).to_be_visible()
    expect(page.locator("td.c-direction")).to_have_count(2)
    expect(page.locator("td.c-direction:visible")).to_have_count(0)
    page.goto("/calls/")
    expect(page.locator("td.c-direction").first).to_be_visible()
    assert Operator.objects.get().hidden_columns == {"live": ["direction"]}


def test_a_choice_that_is_not_kept_says_so(page: Page) -> None:
    page.route("**/accounts/columns/", lambda route: route.abort())
    page.get_by_text("Columns", exact=True).click()
    page.get_by_label("Talked", exact=True).uncheck()
    expect(page.get_by_text("This choice could not be kept.")).to_be_visible()


def test_columns_are_chosen_without_scripts(open_page: Open, sign_in: SignIn, calls: None) -> None:
    page = sign_in(open_page(scripts=False), at="/calls/?q=ana")
    page.get_by_text("Columns", exact=True).click()
    page.get_by_label("Talked", exact=True).uncheck()
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/calls/?q=ana")
    expect(page.locator("td.c-for")).to_be_hidden()


# Keys


def test_rows_are_gone_through_and_opened(page: Page) -> None:
    links = page.locator("tbody .c-with a[href^='/calls/a']")
    page.keyboard.press("j")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(links.nth(2)).to_be_focused()
    page.keyboard.press("k")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("Escape")
    expect(links.nth(1)).not_to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/calls/a3/")


@pytest.mark.parametrize(
    ("key", "address"), [("l", "/"), ("h", "/calls/"), ("r", "/routines/"), ("s", "/sync/")]
)
def test_two_keys_lead_to_a_page(page: Page, key: str, address: str) -> None:
    page.goto("/accounts/preferences/")
    page.keyboard.press("g")
    page.keyboard.press(key)
    page.wait_for_url(lambda reached: urlsplit(reached).path == address)


def test_the_focused_row_stays_in_sight(page: Page) -> None:
    many(50)
    page.reload()
    for _ in range(30):
        page.keyboard.press("j")
    for _ in range(26):
        page.keyboard.press("k")
    top, bottom = page.evaluate(
        "[document.querySelector('.top').getBoundingClientRect().bottom,"
        " document.activeElement.getBoundingClientRect().top]"
    )
    assert bottom >= top


@pytest.mark.parametrize(
    "field",
    ["#search", "main input[name=q]", "#id_since", "#id_routine", "#id_commands", "[contenteditable]"],
)
def test_no_key_fires_while_somebody_types(page: Page, field: str) -> None:
    page.goto("/calls/place/" if field.startswith(("#id_r", "#id_c")) else "/calls/")
    page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<p contenteditable>Words</p>')"
    )
    page.evaluate("for (const fold of document.querySelectorAll('main details')) fold.open = true")
    before = page.url
    page.locator(field).focus()
    for key in ("g", "l", "c", "h", "j", "?", "g", "s"):
        page.keyboard.press(key)
        expect(page.locator(field)).to_be_focused()
    page.wait_for_timeout(200)
    assert page.url == before
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_no_key_fires_while_a_dialog_is_open(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    for key in ("c", "j", "g", "l"):
        page.keyboard.press(key)
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    assert page.url.endswith("/calls/")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_keys_are_switched_off_and_stay_off(page: Page) -> None:
    expect(page.locator("#search")).to_have_attribute("aria-keyshortcuts", "/")
    page.keyboard.press("?")
    page.get_by_label("Use keys on this computer").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    expect(page.locator("#search")).not_to_have_attribute("aria-keyshortcuts", "/")
    for key in ("c", "/", "j", "?", "g", "l"):
        page.keyboard.press(key)
    page.wait_for_timeout(200)
    assert page.url.endswith("/calls/")
    expect(page.locator("body")).to_be_focused()
    page.locator(".person").click()
    page.get_by_role("button", name="Keys").click()
    page.get_by_label("Use keys on this computer").check()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()


# A session's end


@pytest.fixture
def in_berlin(chromium: Browser, server: str, calls: None) -> Iterator[Page]:
    """A browser whose own time zone is Berlin's."""
    context = chromium.new_context(base_url=server, timezone_id="Europe/Berlin")
    yield context.new_page()
    context.close()


def test_one_click_takes_over_the_browsers_time_zone(in_berlin: Page, sign_in: SignIn) -> None:
    page = sign_in(in_berlin, at="/accounts/preferences/")
    page.get_by_role("button", name="Use Europe/Berlin").click()
    expect(page.get_by_label("Time zone")).to_have_value("Europe/Berlin")
    assert Operator.objects.get().time_zone == "Europe/Berlin"
    expect(page.get_by_role("button", name="Use Europe/Berlin")).to_have_count(0)


def test_a_theme_holds_at_once_and_is_kept(page: Page, axe: str) -> None:
    page.goto("/accounts/preferences/")
    with page.expect_response("**/accounts/preferences/"):
        page.locator("main").get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    expect(page.locator("main").get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    assert violations(page, axe) == []
    page.goto("/calls/")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_a_theme_is_chosen_without_scripts(open_page: Open, sign_in: SignIn, calls: None) -> None:
    page = sign_in(open_page(scripts=False), at="/calls/?q=ana")
    page.locator(".person").click()
    page.get_by_role("button", name="Dark").click()
    page.wait_for_url("**/calls/?q=ana")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
