"""Routines in a real browser: forms and JSON in step while one types, and within the rules of access."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Dialog, Page, expect

from connections_app.models import Operator, Routine
from tests.browser.conftest import PASSWORD
from tests.browser.published import saved

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

Open = Callable[..., Page]
SignIn = Callable[[Page], Page]


@pytest.fixture
def greeting(db: None) -> Routine:
    return saved("Greeting", [{"name": "Say", "text": "Hello"}, {"name": "HangUp"}])


def json_in(page: Page) -> Any:
    return json.loads(page.input_value("#json"))


def test_what_is_typed_in_a_field_is_in_the_json_at_once(
    open_page: Open, sign_in: SignIn, greeting: Routine
) -> None:
    page = sign_in(open_page(), at=f"/routines/{greeting.pk}/edit/")
    page.locator("#c0-text").press("End")
    page.keyboard.type(" and good morning", delay=30)
    expect(page.locator("#json")).to_have_value(re.compile("Hello and good morning"))
    expect(page.locator("#outcome")).to_contain_text("Says “Hello and good morning”, then hangs up.")
    expect(page.locator("#c0-text")).to_be_focused()
    page.keyboard.type("!")
    expect(page.locator("#json")).to_have_value(re.compile("good morning!"))


def test_a_problem_stands_by_its_field_and_goes_when_it_is_mended(
    open_page: Open, sign_in: SignIn, greeting: Routine
) -> None:
    page = sign_in(open_page(), at=f"/routines/{greeting.pk}/edit/")
    page.fill("#c0-text", "")
    expect(page.locator("#c0-text-problem")).to_have_text("Is missing.")
    page.get_by_role("link", name="Command 1 (Say), text: is missing.").click()
    page.fill("#c0-text", "Good day")
    expect(page.locator("#c0-text-problem")).to_be_empty()
    expect(page.locator("#outcome")).to_contain_text("Says “Good day”")


def test_what_is_typed_in_the_json_is_in_the_forms_at_once(
    open_page: Open, sign_in: SignIn, greeting: Routine
) -> None:
    page = sign_in(open_page(), at=f"/routines/{greeting.pk}/edit/")
    page.fill("#json", '[{"name": "GetDigits", "count": 4}')
    expect(page.locator("#json-problem")).to_contain_text("in line 1, column 35")
    expect(page.locator("#c0-text")).to_have_value("Hello")
    page.locator("#json").press("Control+End")
    page.keyboard.type("]")
    expect(page.locator("#c0-count")).to_have_value("4")
    expect(page.locator("#json-problem")).to_be_empty()
    expect(page.locator("#json")).to_be_focused()
    assert page.input_value("#json") == '[{"name": "GetDigits", "count": 4}]'


def test_forms_do_not_write_over_json_that_cannot_be_read(
    open_page: Open, sign_in: SignIn, greeting: Routine
) -> None:
    page = sign_in(open_page(), at=f"/routines/{greeting.pk}/edit/")
    page.fill("#json", "[{")
    expect(page.locator("#out-of-step")).to_contain_text("The JSON cannot be read")
    page.fill("#c0-text", "Mine")
    expect(page.locator("#out-of-step")).to_contain_text("Both the forms and the JSON were changed.")
    assert page.input_value("#json") == "[{"
    page.get_by_role("button", name="Keep the forms").click()
    expect(page.locator("#json")).to_have_value(re.compile("Mine"))
    expect(page.locator("#out-of-step")).not_to_contain_text("changed")


def test_a_routine_is_written_with_the_keyboard_and_published(open_page: Open, sign_in: SignIn) -> None:
    page = sign_in(open_page())
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.get_by_role("link", name="New routine").click()
    expect(page.locator("#name")).to_be_focused()
    page.keyboard.type("By hand")
    for label in ("Say", "Get digits", "Hang up"):
        if label != "Say":  # The first is asked for by an open menu.
            page.locator("#add").click()
        page.get_by_role("button", name=label, exact=True).click()
        expect(page.get_by_role("heading", name=re.compile(f"{label}$"))).to_be_visible()
    page.fill("#c0-text", "Hello {{ customer }}")
    page.fill("#c1-count", "4")
    expect(page.locator("#outcome")).to_contain_text("Says “Hello {customer}”, then asks for 4 digits")
    expect(page.locator("#outcome")).to_contain_text("customer")
    page.get_by_role("button", name="Move command 2 up").click()
    expect(page.get_by_role("button", name="Move command 1 down")).to_be_focused()
    assert [command["name"] for command in json_in(page)] == ["GetDigits", "Say", "HangUp"]
    page.fill("#note", "First")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("By hand")
    assert Routine.objects.get(name="By hand").published is not None


def test_another_line_is_there_to_be_typed_in(open_page: Open, sign_in: SignIn, greeting: Routine) -> None:
    asks = saved("Asks", [{"name": "GetDigits", "count": 1, "then": {"1": greeting.pk}}])
    page = sign_in(open_page(), at=f"/routines/{asks.pk}/edit/")
    page.fill("#c0-then-1-answer", "2")
    page.select_option("#c0-then-1-routine", label="Greeting")
    expect(page.locator("#json")).to_have_value(re.compile('"2"'))
    page.get_by_role("button", name="Another line").click()
    expect(page.locator("#c0-then-2-answer")).to_be_focused()
    page.select_option("#c0-then-any", label="Asks")
    expect(page.locator("#outcome")).to_contain_text("(“1” → Greeting, “2” → Greeting, anything else → Asks)")
    assert json_in(page)[0]["then"] == {"1": greeting.pk, "2": greeting.pk, "any": asks.pk}


def test_it_works_without_scripts(open_page: Open, sign_in: SignIn, greeting: Routine) -> None:
    page = sign_in(open_page(scripts=False), at=f"/routines/{greeting.pk}/edit/")
    page.fill("#c0-text", "Good evening")
    page.locator("#add").click()
    page.get_by_role("button", name="Play", exact=True).click()
    assert [command["name"] for command in json_in(page)] == ["Say", "HangUp", "Play"]
    page.fill("#c2-sound_url", "https://media.example/bye.wav")
    page.get_by_role("button", name="Move command 3 up").click()
    page.fill("#note", "Evening")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator(".clauses")).to_contain_text("Good evening")
    expect(page.locator(".clauses")).to_contain_text("Plays bye.wav")


def test_what_was_typed_outlives_a_session_that_ended(
    open_page: Open, sign_in: SignIn, administrator: Operator, greeting: Routine
) -> None:
    page = sign_in(open_page(), at=f"/routines/{greeting.pk}/edit/")
    page.fill("#c0-text", "Typed for an hour")
    page.fill("#note", "Better")
    expect(page.locator("#json")).to_have_value(re.compile("Typed for an hour"))
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Save draft").first.click()
    page.fill("input[name=username]", administrator.username)
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/routines/{greeting.pk}/edit/")
    expect(page.get_by_text("What you typed before you signed in again is back.")).to_be_visible()
    expect(page.locator("#c0-text")).to_have_value("Typed for an hour")
    expect(page.locator("#note")).to_have_value("Better")
    page.get_by_role("button", name="Save draft").first.click()
    expect(page.get_by_text("The draft is saved.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("What you typed before")).to_be_hidden()


def test_mine_can_be_kept_on_top_of_theirs(open_page: Open, sign_in: SignIn, greeting: Routine) -> None:
    page = sign_in(open_page(), at=f"/routines/{greeting.pk}/edit/")
    page.fill("#c0-text", "Mine")
    Routine.objects.update(revision=7, changed_by="ben", draft='[{"name": "Say", "text": "Theirs"}]')
    page.get_by_role("button", name="Save draft").first.click()
    expect(page.locator("main [role=alert]")).to_contain_text("ben changed this routine")
    page.get_by_role("button", name="Keep mine on top of theirs").click()
    expect(page.locator("#c0-text")).to_have_value("Mine")


def test_leaving_with_something_typed_needs_a_confirmation(
    open_page: Open, sign_in: SignIn, greeting: Routine
) -> None:
    page = sign_in(open_page(), at=f"/routines/{greeting.pk}/edit/")
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", leave)
    page.locator("#c0-text").press("End")
    page.keyboard.type("!")
    page.get_by_role("link", name="Close").click()
    page.wait_for_url(f"**/routines/{greeting.pk}/")
    assert asked == ["beforeunload"]
