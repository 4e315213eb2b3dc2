"""The list of calls in a browser: filters, saved views, order, selection, columns; and without scripts."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from connections_app.models import CallTag, Connection, Operator, Tag
from tests.browser.list_controls import box, chips, choose, chosen, count, menu, save_view
from tests.factories import many, seen

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

Open = Callable[..., Page]
SignIn = Callable[..., Page]
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.fixture
def page(open_page: Open, sign_in: SignIn) -> Page:
    """The list of 120 calls, twelve of which failed."""
    many(120)
    opened = sign_in(open_page(), at="/calls/")
    return opened


@pytest.fixture
def plain(open_page: Open, sign_in: SignIn) -> Page:
    """The same without scripts."""
    many(120)
    opened = sign_in(open_page(scripts=False), at="/calls/")
    return opened


def test_filters_become_chips_that_are_taken_off_one_by_one_or_all(page: Page) -> None:
    page.fill("#id_q", "415")
    choose(page, "status", "Failed")
    expect(page).to_have_url(re.compile(r"\?q=415&status=failed$"))
    expect(chips(page)).to_have_text(["Remove filter: contains 415", "Remove filter: Failed"])
    expect(page.locator("tbody .look-finished")).to_have_count(0)
    chips(page).first.click()
    expect(chips(page)).to_have_text(["Remove filter: Failed"])
    expect(count(page)).to_contain_text("12 calls")
    page.get_by_role("link", name="Clear").click()
    expect(chips(page)).to_have_count(0)
    expect(count(page)).to_contain_text("120 calls")


def test_back_forward_and_a_bookmark_bring_the_same_list(page: Page) -> None:
    choose(page, "status", "Finished")
    page.locator("[rel=next]").click()
    expect(page.locator("[rel=prev]")).to_be_visible()
    bookmark, first = page.url, page.locator("tbody a").first.inner_text()
    page.go_back()
    expect(page.locator("[rel=prev]")).to_have_count(0)
    page.go_back()
    expect(chips(page)).to_have_count(0)
    page.go_forward()
    expect(chips(page)).to_have_count(1)
    page.goto("/")
    page.goto(bookmark)
    expect(page.locator("#status-menu")).to_contain_text("Finished")
    expect(page.locator("tbody a").first).to_have_text(first)


def test_a_tick_that_is_not_applied_yet_stays_when_its_menu_closes(page: Page) -> None:
    opened, button = menu(page, "status"), page.locator("#status-menu")
    for label in ("Failed", "Finished"):
        opened.get_by_label(label, exact=True).check()
    page.keyboard.press("Escape")
    expect(button).to_have_text("Status: Failed, Finished")
    button.click()
    expect(opened.get_by_label("Failed", exact=True)).to_be_checked()
    opened.get_by_label("Failed", exact=True).uncheck()
    opened.get_by_label("Finished", exact=True).uncheck()
    page.locator(".page-title").first.click()
    expect(button).to_have_text("Status: Any status")


def test_a_tick_stays_though_the_list_of_a_long_menu_comes_later(page: Page) -> None:
    Tag.objects.bulk_create([Tag(name="first"), Tag(name="second")])
    page.goto("/calls/?tag=first")
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    page.route("**/calls/choices/tag/**", hold)
    with page.expect_request("**/calls/choices/tag/**"):
        opened = menu(page, "tag")
    opened.get_by_label("first", exact=True).uncheck()
    page.keyboard.press("Escape")
    expect(page.locator("#tag-menu")).to_have_text("Tag: Any tag")
    waiting[0].continue_()
    page.locator("#tag-menu").click()
    expect(opened.get_by_label("second", exact=True)).to_be_visible()
    expect(opened.get_by_label("first", exact=True)).not_to_be_checked()


def test_enter_in_a_long_menu_takes_no_tick_away(page: Page) -> None:
    Tag.objects.bulk_create([Tag(name=f"tag {number}") for number in range(12)])
    opened = menu(page, "tag")
    opened.locator("[data-options-typed]").fill("tag 7")
    for _ in range(2):
        page.keyboard.press("Enter")
        expect(opened.get_by_label("tag 7", exact=True)).to_be_checked()


def test_a_range_in_words_applies_at_once(page: Page) -> None:
    seen({"connection_id": "now", "start_time": timezone.now().isoformat()})
    seen({"connection_id": "week", "start_time": (timezone.now() - timedelta(days=5)).isoformat()})
    for words, calls in (("Last 7 days", "2 calls"), ("Today", "1 call"), ("Any time", "122 calls")):
        menu(page, "when").get_by_label(words).click()
        expect(page.locator("#when-menu")).to_contain_text(words)
        expect(count(page)).to_contain_text(calls)


def test_dates_take_the_place_of_words_and_may_have_times(page: Page) -> None:
    page.goto("/calls/?when=today")
    opened = menu(page, "when")
    opened.get_by_label("From", exact=True).fill("2026-05-01")
    opened.get_by_label("To", exact=True).fill("2026-05-01")
    expect(opened.get_by_label("Any time")).to_be_checked()
    page.locator("#apply").click()
    expect(page).to_have_url(re.compile(r"\?since=2026-05-01&until=2026-05-01$"))
    expect(count(page)).to_contain_text("60 calls")
    opened = menu(page, "when")
    opened.get_by_role("button", name="With times of day").click()
    expect(opened.get_by_label("To", exact=True)).to_have_value("2026-05-02T00:00")
    opened.get_by_label("To", exact=True).fill("2026-05-01T12:30")
    page.locator("#apply").click()
    expect(count(page)).to_contain_text("30 calls")


def test_a_long_menu_reads_its_options_when_it_is_opened_and_is_searched(page: Page) -> None:
    Tag.objects.bulk_create(Tag(name=f"Tag {n}", made_by="root") for n in range(12))
    expect(page.locator("[name=tag]:not(#bulk-tag)")).to_have_count(0)
    opened = menu(page, "tag")
    expect(opened.get_by_role("checkbox")).to_have_count(12)
    expect(opened.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("tag 11")
    expect(opened.get_by_role("checkbox")).to_have_count(1)
    page.keyboard.press("Enter")
    page.locator("#apply").click()
    expect(chips(page)).to_have_text(["Remove filter: tagged Tag 11"])
    expect(page.get_by_text("No call matches all of these filters")).to_be_visible()


def test_countries_talk_time_and_notes_are_behind_more_filters(page: Page) -> None:
    opened = menu(page, "beyond")
    opened.get_by_label("At least").fill("1:30")
    opened.get_by_label("United States").check()
    page.locator("#apply").click()
    expect(page).to_have_url(re.compile(r"country=US"))
    expect(chips(page)).to_have_text(["Remove filter: United States", "Remove filter: talked 1:30 or longer"])
    expect(page.locator(".beyond-count")).to_have_text("2 set")


@pytest.mark.parametrize("width", [390, 800, 1100, 1300])
def test_no_menu_leaves_the_window(page: Page, width: int) -> None:
    Tag.objects.create(name="A tag that has quite a long name, as tags have", made_by="root")
    page.set_viewport_size({"width": width, "height": 900})
    if page.locator(".more-filters > summary").is_visible():
        page.locator(".more-filters > summary").click()
    for name in ("when", "status", "direction", "operator", "tag", "beyond", "views", "sort"):
        shown = menu(page, name).locator(".dropdown-menu").first
        expect(shown).to_be_visible()
        page.evaluate(TWO_FRAMES)
        place = shown.bounding_box()
        assert place, name
        assert 0 <= place["x"] <= width - place["width"], name
        page.keyboard.press("Escape")


# Saved views


def test_a_click_on_a_heading_orders_the_list_and_another_reverses_it(page: Page) -> None:
    newest = page.locator("tbody tr").first.get_attribute("id")
    page.goto("/calls/?status=finished")
    for heading, order, sort in (
        ("Talked", "descending", "Longest first"),
        ("Talked", "ascending", "Shortest first"),
        ("Started", "descending", "Newest first"),
        ("Started", "ascending", "Oldest first"),
    ):
        page.locator("th").get_by_role("link", name=heading).click()
        expect(page.locator("#sort-menu")).to_contain_text(sort)
        expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", order)
        expect(page.locator("th[aria-sort]")).to_have_text(heading)
        expect(chips(page)).to_have_count(1)
    assert page.locator("tbody tr").first.get_attribute("id") != newest
    menu(page, "sort").get_by_role("link", name="Newest first").click()
    expect(page.locator("tbody tr").first).to_have_attribute("id", newest or "")


# Selection


def test_rows_are_selected_one_by_one_up_to_another_and_all(page: Page) -> None:
    bar = page.locator("#bulk")
    expect(bar).to_be_hidden()
    box(page, 2).click()
    expect(bar).to_contain_text("1 of 50 on this page")
    box(page, 6).click(modifiers=["Shift"])
    expect(bar).to_contain_text("5 of 50 on this page")
    box(page, 4).click()
    expect(bar).to_contain_text("4 of 50 on this page")
    page.get_by_label("Select all on this page").check()
    expect(bar).to_contain_text("50 of 50 on this page")
    assert chosen(page) == 50
    bar.get_by_role("button", name="Clear").click()
    expect(bar).to_be_hidden()
    assert chosen(page) == 0


def test_x_selects_the_row_in_focus(page: Page) -> None:
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(box(page, 1)).to_be_checked()
    page.keyboard.press("x")
    expect(box(page, 1)).not_to_be_checked()


def test_the_selected_ones_alone_get_the_tag(page: Page) -> None:
    box(page, 0).check()
    box(page, 3).check()
    page.fill("#bulk-tag", "Refund")
    page.get_by_role("button", name="Put on").click()
    expect(page.get_by_text("Put on 2 calls.")).to_be_visible()
    page.get_by_role("link", name="Back to the calls").click()
    expect(page.locator("tbody .call-tag")).to_have_count(2)
    assert set(CallTag.objects.values_list("connection__connection_id", flat=True)) == {"c0119", "c0116"}


def test_all_that_match_are_counted_repeated_and_undone_by_one_click(page: Page) -> None:
    page.goto("/calls/?status=finished")
    expect(page.get_by_label("All that match")).to_be_hidden()
    page.get_by_label("Select all on this page").check()
    page.get_by_label("All that match: 108 calls").check()
    page.fill("#bulk-tag", "Refund")
    page.get_by_role("button", name="Put on").click()
    expect(page.locator("h1")).to_have_text("Put “Refund” on 108 calls?")
    expect(page.locator(".facts")).to_contain_text("Finished")
    assert not CallTag.objects.exists()
    page.get_by_role("button", name="Put it on 108 calls").click()
    expect(page.get_by_text("Put on 108 calls.")).to_be_visible()
    assert CallTag.objects.count() == 108
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone on 108 calls.")).to_be_visible()
    assert not CallTag.objects.exists()


# Columns


def test_operator_and_tags_may_be_hidden(page: Page, administrator: Operator) -> None:
    Connection.objects.update(operator=administrator)
    page.reload()
    expect(page.locator("td.c-operator").first).to_have_text("Rosa Luna")
    page.get_by_text("Columns", exact=True).click()
    for name in ("Operator", "Tags"):
        with page.expect_response("**/accounts/columns/"):
            page.locator("[data-columns]").get_by_label(name).uncheck()
        expect(page.get_by_role("columnheader", name=name)).to_be_hidden()
    # What there is room for now comes in their place.
    expect(page.get_by_role("columnheader", name="From")).to_be_visible()
    page.reload()
    expect(page.locator("td.c-operator").first).to_be_hidden()


# Without scripts


def test_filters_order_and_pages_work_without_scripts(plain: Page) -> None:
    choose(plain, "status", "Finished")
    expect(count(plain)).to_contain_text("108 calls")
    menu(plain, "beyond").get_by_role("link", name="All of them…").click()
    plain.get_by_label("United States").check()
    plain.get_by_role("button", name="Apply").click()
    expect(chips(plain)).to_have_count(2)
    plain.locator("th").get_by_role("link", name="Started").click()
    expect(plain.locator("th[aria-sort]")).to_have_attribute("aria-sort", "ascending")
    plain.locator("[rel=next]").click()
    expect(plain.locator("[rel=prev]")).to_be_visible()


def test_views_tags_and_columns_work_without_scripts(plain: Page) -> None:
    plain.goto("/calls/?status=failed")
    save_view(plain, "Failures")
    expect(plain.locator("#views-menu")).to_contain_text("Failures")
    box(plain, 1).check()
    plain.fill("#bulk-tag", "Refund")
    plain.get_by_role("button", name="Put on").click()
    expect(plain.get_by_text("Put on 1 call.")).to_be_visible()
    plain.get_by_role("link", name="Back to the calls").click()
    plain.get_by_label("All that match").check()
    plain.fill("#bulk-tag", "Refund")
    plain.get_by_role("button", name="Take off").click()
    plain.get_by_role("button", name="Take it off 12 calls").click()
    expect(plain.get_by_text("Taken off 1 call. 11 calls did not have it.")).to_be_visible()
    plain.get_by_role("button", name="Undo").click()
    expect(plain.get_by_text("Undone on 1 call.")).to_be_visible()
    plain.goto("/calls/")
    plain.get_by_text("Columns", exact=True).click()
    plain.locator("[data-columns]").get_by_label("Tags").uncheck()
    plain.locator("[data-columns]").get_by_role("button", name="Save").click()
    expect(plain.get_by_role("columnheader", name="Tags")).to_be_hidden()
