"""A session that ends while somebody works: nothing that was typed is lost, and nobody else is shown it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import Page, expect

from connections_app.models import Operator
from tests.browser.conftest import NUMBER, PASSWORD
from tests.conftest import Sandbox
from tests.factories import seen

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

Open = Callable[..., Page]
SignIn = Callable[[Page], Page]


@pytest.fixture
def page(open_page: Open, sign_in: SignIn, calls: None) -> Page:
    page = sign_in(open_page(), at="/calls/")
    return page


def session_ends() -> None:
    """As if the person had been away for longer than a session lasts."""
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))


def sign_in_again(page: Page, operator: Operator) -> None:
    page.wait_for_url("**/accounts/login/**")
    page.fill("input[name=username]", operator.username)
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "/accounts/login/" not in address)


def test_what_a_page_requests_by_itself_keeps_no_session_alive(page: Page) -> None:
    page.goto("/sync/")
    Session.objects.update(expire_date=timezone.now() + timedelta(minutes=9))
    with page.expect_response("**/sync/") as asked:
        pass
    assert asked.value.request.headers["x-background"] == "yes"
    assert Session.objects.get().expire_date < timezone.now() + timedelta(minutes=9)
    page.fill("#search", "415")
    expect(page.get_by_role("option").first).to_be_visible()
    assert Session.objects.get().expire_date > timezone.now() + timedelta(hours=11)


def test_what_was_typed_survives_a_session_that_ended(
    page: Page, administrator: Operator, sift: Sandbox
) -> None:
    page.goto("/calls/place/")
    page.get_by_label("Phone number").fill("(415) 555-0142")
    page.locator("#id_routine").select_option(index=1)
    page.get_by_label("Customer").fill("Kofi")
    # Else the form, which is still being checked, may lead to sign in before the button is pressed.
    with page.expect_response(lambda answer: "Monday" in (answer.request.post_data or "")):
        page.get_by_label("Day").fill("Monday")
    expect(page.locator(".preview")).to_contain_text("Hello Kofi.")
    before = len(sift.creates())
    session_ends()
    page.locator("[data-place]").click()
    sign_in_again(page, administrator)
    page.wait_for_url("**/calls/place/")
    expect(page.locator("[data-brought-back]")).to_be_visible()
    expect(page.get_by_label("Phone number")).to_have_value("(415) 555-0142")
    expect(page.get_by_label("Customer")).to_have_value("Kofi")
    expect(page.get_by_label("Day")).to_have_value("Monday")
    expect(page.locator(".preview")).to_contain_text("Hello Kofi.")
    expect(page.get_by_role("button", name="Call +1 415-555-0142")).to_be_visible()
    assert len(sift.creates()) == before
    assert page.evaluate("sessionStorage.getItem('kept')") is None
    page.reload()
    expect(page.get_by_label("Phone number")).to_have_value("")


def test_a_session_that_ends_while_somebody_types(page: Page, administrator: Operator) -> None:
    page.goto("/calls/place/")
    session_ends()
    page.get_by_label("Browser client").fill("kofi")
    sign_in_again(page, administrator)
    page.wait_for_url("**/calls/place/")
    expect(page.get_by_label("Browser client")).to_have_value("kofi")


def test_commands_for_a_live_call_survive_too(page: Page, administrator: Operator) -> None:
    seen({"connection_id": "live", "status": "connected", "to": NUMBER})
    page.goto("/calls/live/routine/")
    page.get_by_text("Write commands instead").click()
    page.get_by_label("Commands as JSON").fill('[{"name": "HangUp"}]')
    expect(page.locator(".preview")).to_be_visible()
    session_ends()
    page.get_by_role("button", name="Send to").click()
    sign_in_again(page, administrator)
    page.wait_for_url("**/calls/live/routine/")
    expect(page.get_by_label("Commands as JSON")).to_have_value('[{"name": "HangUp"}]')
    expect(page.get_by_label("Commands as JSON")).to_be_visible()


def test_nobody_else_is_shown_what_was_typed(page: Page, make_operator: Callable[..., Operator]) -> None:
    kofi = make_operator("kofi")
    kofi.set_password(PASSWORD)
    kofi.save()
    page.goto("/calls/place/")
    page.get_by_label("Phone number").fill(NUMBER)
    session_ends()
    page.locator("[data-place]").click()
    sign_in_again(page, kofi)
    page.wait_for_url("**/calls/place/")
    page.wait_for_load_state()
    expect(page.get_by_label("Phone number")).to_have_value("")
    assert page.evaluate("sessionStorage.getItem('kept')") is None


def test_what_was_sent_is_not_brought_back(page: Page, administrator: Operator) -> None:
    page.goto("/calls/place/")
    page.get_by_label("Phone number").fill(NUMBER)
    page.goto("/calls/")
    session_ends()
    page.keyboard.press("c")
    sign_in_again(page, administrator)
    page.wait_for_url("**/calls/place/")
    page.wait_for_load_state()
    expect(page.get_by_label("Phone number")).to_have_value("")


def test_filters_survive_in_the_address(page: Page, administrator: Operator) -> None:
    page.fill("main input[name=q]", "ana")
    session_ends()
    page.get_by_role("button", name="Apply").click()
    sign_in_again(page, administrator)
    expect(page.locator("main input[name=q]")).to_have_value("ana")
    expect(page.locator("tbody tr")).to_have_count(1)


# Preferences
