"""Placing and steering calls as a person does it, in a real browser."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from connections_app.control.watching import watch
from connections_app.models import CallRequest
from connections_app.sift.client import SiftClient
from tests.conftest import Sandbox, use, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

Open = Callable[..., Page]
SignIn = Callable[[Page], Page]
NUMBER = "+1 415-555-0142"
# Sift makes the call, but neither its answer nor a callback says so.
NOBODY_KNOWS = (
    {"kind": "status_after", "on": "create", "status": 500},
    {"kind": "lost", "on": "callback"},
)


@pytest.fixture(autouse=True)
def no_faults(sift: Sandbox) -> Iterator[None]:
    yield
    sift.faults()


@pytest.fixture
def placing(open_page: Open, sign_in: SignIn) -> Page:
    """The form that places calls."""
    page = sign_in(open_page())
    page.keyboard.press("c")
    page.wait_for_url("**/calls/place/")
    return page


def place(page: Page, typed: str = "(415) 555-0142") -> None:
    page.get_by_label("Phone number").fill(typed)
    page.locator("[data-place]").click()


def test_a_whole_call(placing: Page, sift: Sandbox) -> None:
    placing.get_by_label("Phone number").fill("(415) 555-0142")
    placing.locator("#id_routine").select_option(index=1)
    placing.get_by_label("Customer").fill("Kofi")
    placing.get_by_label("Day").fill("Monday")
    expect(placing.locator(".preview")).to_contain_text("Hello Kofi.")
    button = placing.get_by_role("button", name=f"Call {NUMBER}")
    expect(button).to_be_visible()
    button.click()
    placing.wait_for_url(re.compile("/calls/[0-9a-f]+/$"))
    expect(placing.get_by_role("heading", level=1)).to_have_text(NUMBER)
    expect(placing.locator("header .look-connected")).to_be_visible()
    timeline = placing.locator(".happened")
    expect(timeline).to_contain_text("root asked for the call")
    expect(timeline).to_contain_text("Sift called back: connected")
    placing.get_by_role("link", name="Send a routine").click()
    expect(placing.locator(".note-plain")).to_contain_text("Appointment reminder")
    placing.get_by_text("Write commands instead").click()
    placing.get_by_label("Commands as JSON").fill('[{"name": "JoinConference", "conference_name": "floor"}]')
    expect(placing.locator(".preview")).to_contain_text("Joins the conference “floor”.")
    placing.get_by_role("button", name=f"Send to {NUMBER}").click()
    placing.wait_for_url(re.compile("/calls/[0-9a-f]+/$"))
    expect(timeline).to_contain_text("root sent a routine")
    placing.get_by_role("link", name=f"Hang up {NUMBER}").click()
    placing.get_by_role("button", name="Yes").click()
    expect(timeline).to_contain_text("root asked to hang up", timeout=8000)
    expect(placing.locator("header .look-finished")).to_be_visible()
    expect(timeline).to_contain_text("Sift called back: finished")
    expect(placing.get_by_role("link", name="Call back")).to_be_visible()


def test_a_late_reading_of_the_form_takes_nothing_that_was_typed_away(placing: Page) -> None:
    placing.route("**/calls/place/check/", lambda route: (placing.wait_for_timeout(700), route.continue_()))
    placing.locator("#id_routine").select_option(index=1)
    customer = placing.get_by_label("Customer")
    customer.press_sequentially("Kofi", delay=150)
    placing.get_by_label("Day").press_sequentially("Monday", delay=150)
    expect(placing.locator(".preview")).to_contain_text("Hello Kofi.")
    assert customer.input_value() == "Kofi"
    placing.unroute_all(behavior="ignoreErrors")


def test_a_double_click_places_one_call(placing: Page, sift: Sandbox) -> None:
    before = len(sift.creates())
    placing.get_by_label("Phone number").fill("+14155550161")
    placing.locator("[data-place]").dblclick()
    placing.wait_for_url(re.compile("/calls/[0-9a-f]+/$"))
    assert len(sift.creates()) == before + 1
    assert CallRequest.objects.count() == 1


def test_enter_held_down_places_one_call_without_scripts(
    open_page: Open, sign_in: SignIn, sift: Sandbox
) -> None:
    page = sign_in(open_page(scripts=False), at="/calls/place/")
    before = len(sift.creates())
    page.get_by_label("Phone number").fill("+14155550162")
    for _ in range(3):
        page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/calls/[0-9a-f]+/$"))
    assert len(sift.creates()) == before + 1


def test_a_refusal_is_shown_with_the_form_as_it_was(placing: Page, sift: Sandbox) -> None:
    sift.faults(
        {"kind": "status", "on": "create", "status": 400, "words": "This number is blocked.", "times": 1}
    )
    place(placing)
    expect(placing.get_by_role("alert").first).to_contain_text("This number is blocked.")
    assert placing.get_by_label("Phone number").input_value() == "(415) 555-0142"
    placing.locator("[data-place]").click()
    placing.wait_for_url(re.compile("/calls/[0-9a-f]+/$"))


def test_what_is_not_known_is_said_and_leads_on_once_it_is(
    placing: Page, sift: Sandbox, settings: object
) -> None:
    sift.faults(*NOBODY_KNOWS)
    place(placing, "+14155550163")
    expect(placing.get_by_text("It may be ringing. Look before you call again.")).to_be_visible()
    expect(placing.get_by_text("Nothing is sent again by itself.")).to_be_visible()
    use(settings, sift)  # type: ignore[arg-type]
    wait_until(lambda: watch(SiftClient.configured()) or CallRequest.objects.get().connection)
    placing.wait_for_url(re.compile("/calls/[0-9a-f]+/$"))
    expect(placing.locator(".happened")).to_contain_text("Sift's list showed it")


def test_hanging_up_takes_two_steps_that_no_double_click_takes(placing: Page, sift: Sandbox) -> None:
    place(placing, "+14155550164")
    placing.wait_for_url(re.compile("/calls/[0-9a-f]+/$"))
    connection_id = placing.url.rstrip("/").rsplit("/", 1)[1]
    placing.goto("/")
    row = placing.locator("tbody tr").first
    row.get_by_role("link", name="Hang up").dblclick()
    expect(row.get_by_role("link", name="Hang up")).to_be_visible()
    assert sift.routines_set(connection_id) == []
    row.get_by_role("link", name="Hang up").click()
    expect(row.get_by_role("button", name="Keep")).to_be_focused()
    placing.keyboard.press("Escape")
    expect(row.get_by_role("button", name="Yes")).to_be_hidden()
    row.get_by_role("link", name="Hang up").focus()
    placing.keyboard.press("h")
    expect(row.get_by_role("button", name="Keep")).to_be_focused()
    row.get_by_role("button", name="Yes").click()
    wait_until(lambda: sift.routines_set(connection_id))
    expect(placing.locator("tbody tr[data-over]")).to_contain_text("Finished")
    assert len(sift.routines_set(connection_id)) == 1


def test_an_armed_hang_up_is_not_swapped_away_and_disarms_itself(placing: Page, sift: Sandbox) -> None:
    place(placing, "+14155550165")
    placing.wait_for_url(re.compile("/calls/[0-9a-f]+/$"))
    placing.goto("/")
    placing.get_by_role("link", name="Hang up").click()
    keep = placing.get_by_role("button", name="Keep")
    placing.wait_for_timeout(3500)
    expect(keep).to_be_visible()
    expect(keep).to_be_hidden(timeout=3000)


def test_keys_do_nothing_while_typing(placing: Page) -> None:
    placing.get_by_label("Browser client").press_sequentially("chg")
    assert placing.url.endswith("/calls/place/")
    assert placing.get_by_label("Browser client").input_value() == "chg"


def test_the_keyboard_alone_places_finds_and_hangs_up_a_call(
    open_page: Open, sign_in: SignIn, sift: Sandbox
) -> None:
    page = sign_in(open_page())
    keys = page.keyboard
    keys.press("c")
    page.wait_for_url("**/calls/place/")
    tab_to(page, page.get_by_label("Phone number"))
    keys.type("(415) 555-0166")
    tab_to(page, page.get_by_role("button", name="Call +1 415-555-0166"))
    keys.press("Enter")
    page.wait_for_url(re.compile("/calls/[0-9a-f]+/$"))
    call = page.url
    keys.press("g")
    keys.press("h")
    page.wait_for_url(re.compile("/calls/$"))
    keys.press("/")
    expect(page.locator("#search")).to_be_focused()
    keys.type("555 0166")
    keys.press("Enter")
    page.wait_for_url(re.compile(r"/calls/\?q="))
    expect(page.locator("main tbody tr")).to_have_count(1)
    keys.press("j")
    keys.press("Enter")
    page.wait_for_url(call)
    expect(page.locator("header .look-connected")).to_be_visible()
    keys.press("h")
    expect(page.get_by_role("button", name="Keep")).to_be_focused()
    tab_to(page, page.get_by_role("button", name="Yes"))
    keys.press("Enter")
    expect(page.locator("header .look-finished")).to_be_visible(timeout=15_000)
    assert len(sift.routines_set(call.rstrip("/").rsplit("/", 1)[1])) == 1


def tab_to(page: Page, wanted: Locator) -> None:
    """Go on with Tab until `wanted` has the focus, as somebody without a mouse does."""
    expect(wanted).to_be_visible()
    for _ in range(60):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {wanted}.")
