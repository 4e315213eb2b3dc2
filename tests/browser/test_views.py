"""Saved views in a real browser: saved, opened, renamed, deleted and put back."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from connections_app.models import Operator, Role, SavedView
from tests.browser.list_controls import count, menu, save_view
from tests.factories import many

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

Open = Callable[..., Page]
SignIn = Callable[..., Page]


@pytest.fixture
def page(open_page: Open, sign_in: SignIn) -> Page:
    """The list of 120 calls, twelve of which failed."""
    many(120)
    opened = sign_in(open_page(), at="/calls/")
    return opened


def test_a_private_view_is_saved_and_opened_by_its_link(page: Page) -> None:
    page.goto("/calls/?status=failed&sort=oldest")
    save_view(page, "Old failures")
    expect(page.locator("#views-menu")).to_contain_text("Old failures")
    expect(page).to_have_title(re.compile("^Old failures"))
    page.goto(SavedView.objects.get().get_absolute_url())
    expect(page).to_have_url(re.compile(r"/calls/\?sort=oldest&status=failed$"))
    expect(page.locator("#views-menu")).to_contain_text("Old failures")


def test_a_taken_name_is_said_in_the_menu_and_the_view_may_be_replaced(page: Page) -> None:
    page.goto("/calls/?status=failed")
    save_view(page, "Mine")
    expect(page.locator("#views-menu")).to_contain_text("Mine")
    page.goto("/calls/?status=finished")
    save_view(page, "mine")
    expect(page.locator("#view-problem")).to_have_text("You have a view “Mine” already.")
    page.locator("#view-replace").click()
    expect(page.locator("#views-menu")).to_contain_text("Mine")
    assert SavedView.objects.get().query == "status=finished"


def test_a_shared_view_is_in_everybodys_menu(
    page: Page, open_page: Open, sign_in: SignIn, make_operator: Callable[..., Operator]
) -> None:
    make_operator("ben", Role.VIEWER)
    page.goto("/calls/?status=failed")
    save_view(page, "Failures", shared=True)
    expect(page.locator("#views-menu")).to_contain_text("Failures")
    other = sign_in(open_page(), "ben", at="/calls/")
    menu(other, "views").get_by_role("link", name="Failures Rosa Luna").click()
    expect(other.locator("#views-menu")).to_contain_text("Failures")
    expect(count(other)).to_contain_text("12 calls")


def test_a_view_is_renamed_deleted_and_put_back(page: Page) -> None:
    page.goto("/calls/?status=failed")
    save_view(page, "Failures")
    expect(page.locator("#views-menu")).to_contain_text("Failures")
    menu(page, "views").get_by_role("link", name="All views and their links").click()
    page.get_by_role("link", name="Change Failures").click()
    page.get_by_label("Name").fill("Missed")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="Missed", exact=True)).to_be_visible()
    page.get_by_role("button", name="Delete Missed").click()
    expect(page.get_by_text("“Missed” was deleted.")).to_be_visible()
    assert not SavedView.objects.exists()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="Missed", exact=True)).to_be_visible()


# Order
