"""Writing to a call while it changes: nothing that is being typed is lost, and what was written is seen."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from connections_app.models import CallTag, Note, Tag
from tests.factories import seen

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

Open = Callable[..., Page]
SignIn = Callable[..., Page]


@pytest.fixture
def page(open_page: Open, sign_in: SignIn) -> Page:
    """A call that rings, and two tags."""
    seen({"connection_id": "a1", "status": "connecting", "to": "+14155550142", "direction": "incoming"})
    for name in ("Refund", "Urgent"):
        Tag.objects.create(name=name, made_by="ben")
    opened = sign_in(open_page(), at="/calls/a1/")
    expect(opened.locator("body[data-connection=up]")).to_be_attached()
    return opened


def becomes_connected(page: Page) -> None:
    seen({"connection_id": "a1", "status": "connected", "start_time": "2026-05-10T02:28:17Z"})
    expect(page.locator("#timeline")).to_contain_text("Connected")


def test_a_note_that_is_being_typed_stays_while_the_call_changes(page: Page) -> None:
    page.locator("#note-text").press_sequentially("Wants a re")
    becomes_connected(page)
    page.keyboard.type("fund")
    expect(page.locator("#note-text")).to_have_value("Wants a refund")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("#timeline")).to_contain_text("Wants a refund")
    expect(page.locator("#note-text")).to_have_value("")
    expect(page.locator("#note-text")).to_be_focused()
    assert Note.objects.get().text == "Wants a refund"


def test_so_does_a_change_of_a_note_and_escape_leaves_it(page: Page) -> None:
    page.fill("#note-text", "Wants a refund")
    page.get_by_role("button", name="Add note").click()
    change = page.get_by_role("link", name="Change the note of root")
    change.click()
    expect(page.locator("#change-text")).to_be_focused()
    page.fill("#change-text", "Wants two")
    becomes_connected(page)
    expect(page.locator("#change-text")).to_have_value("Wants two")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#timeline .written-text").first).to_have_text("Wants two")
    change.click()
    page.locator("#change-text").press("Escape")
    expect(page.locator("#change-text")).to_have_count(0)
    expect(change).to_be_focused()


def test_the_name_of_a_new_tag_stays_too(page: Page) -> None:
    page.click("#tag-menu-open")
    page.locator("#tag-name").press_sequentially("Call b")
    becomes_connected(page)
    page.keyboard.type("ack")
    expect(page.locator("#tag-name")).to_have_value("Call back")
    page.keyboard.press("Enter")
    expect(page.locator("#call-tags ul")).to_have_text("Call back")
    expect(page.locator("#tag-menu-open")).to_be_focused()


def test_a_click_is_not_lost_where_the_call_changes_between_press_and_release(page: Page) -> None:
    page.locator("#tag-menu-open").hover()
    page.mouse.down()
    seen({"connection_id": "a1", "status": "connected", "start_time": "2026-05-10T02:28:17Z"})
    page.wait_for_timeout(1_000)  # Well over what the change takes to reach the page.
    page.mouse.up()
    expect(page.locator("#tag-name")).to_be_visible()
    expect(page.locator("#timeline")).to_contain_text("Connected")


def test_a_tag_is_put_on_and_taken_off_in_place(page: Page) -> None:
    page.click("#tag-menu-open")
    page.locator("#tag-menu").get_by_role("button", name="Urgent").click()
    expect(page.locator("#call-tags ul")).to_have_text("Urgent")
    expect(page.locator("#tag-menu")).not_to_have_attribute("open", "")
    page.get_by_role("button", name="Take off the tag Urgent").click()
    expect(page.locator("#call-tags ul")).to_have_count(0)
    assert not CallTag.objects.exists()


def test_keys_lead_to_the_call_before_and_back(page: Page) -> None:
    seen(
        {
            "connection_id": "a0",
            "to": "+14155550142",
            "direction": "incoming",
            "start_time": "2026-05-01T02:28:17Z",
        }
    )
    page.reload()
    page.keyboard.press("p")
    page.wait_for_url("**/calls/a0/")
    page.keyboard.press("n")
    page.wait_for_url("**/calls/a1/")


def test_notes_and_tags_work_without_scripts(open_page: Open, sign_in: SignIn) -> None:
    seen({"connection_id": "a1"})
    Tag.objects.create(name="Refund", made_by="ben")
    page = sign_in(open_page(scripts=False), at="/calls/a1/")
    page.fill("#note-text", "Wants a refund")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("#timeline")).to_contain_text("Wants a refund")
    page.click("#tag-menu-open")
    page.locator("#tag-menu").get_by_role("button", name="Refund").click()
    expect(page.locator("#call-tags ul")).to_have_text("Refund")
