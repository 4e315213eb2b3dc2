"""On paper: what a page says, without what acts on it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.factories import many

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

Open = Callable[..., Page]
SignIn = Callable[..., Page]

BLACK_ON_WHITE = """() => {
    const style = getComputedStyle(document.querySelector('tbody td.c-with'));
    return style.colorScheme === 'light' && style.color === 'rgb(0, 0, 0)';
}"""


@pytest.fixture
def calls(open_page: Open, sign_in: SignIn) -> Page:
    """Sixty calls, as they are printed by somebody who works in the dark."""
    many(60)
    page = sign_in(open_page(scheme="dark"), at="/calls/?q=7946&status=finished")
    page.emulate_media(media="print")
    return page


def test_a_list_is_printed_without_the_frame(calls: Page) -> None:
    for what_acts in (".side", ".top", ".filters", ".sorts", ".pager", "tbody .copy", ".bulk", ".c-select"):
        expect(calls.locator(what_acts).first).to_be_hidden()
    expect(calls.locator("tbody tr").last).to_be_visible()
    expect(calls.locator("tbody .c-to").first).to_be_visible()


def test_the_filters_are_printed_as_words(calls: Page) -> None:
    expect(calls.locator(".chips")).to_be_visible()
    expect(calls.locator(".chips")).to_contain_text("7946")
    expect(calls.locator(".chips .icon").first).to_be_hidden()


def test_a_dark_page_is_printed_black_on_white(calls: Page) -> None:
    assert calls.evaluate(BLACK_ON_WHITE)


@pytest.mark.parametrize(("landscape", "sheets"), [(False, 2), (True, 3)])
def test_a_list_goes_on_from_sheet_to_sheet(calls: Page, landscape: bool, sheets: int) -> None:
    printed = calls.pdf(format="A4", landscape=landscape)
    assert printed.count(b"/Type /Page\n") == sheets


def test_one_call_fits_one_sheet(calls: Page) -> None:
    calls.goto("/calls/c0001/")
    expect(calls.get_by_role("heading", name="What happened")).to_be_visible()
    expect(calls.locator(".facts")).to_be_visible()
    expect(calls.locator("#call-back")).to_be_hidden()
    assert calls.pdf(format="A4").count(b"/Type /Page\n") == 1
