"""The states that each page can be in: one table for each feature."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from connections_app.models import (
    Contact,
    Routine,
)
from tests.browser.rows_in_every_state import DONE, DRY_RUN

Do = Callable[[Page], object]
# Each test checks a table of states in both themes and widths, which takes minutes where axe is slow.
MARKS = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.timeout(1200),
]


@dataclass(frozen=True)
class State:
    """One state of a page, or of the frame around all; `sign` is a text that only this state has."""

    name: str
    address: str
    sign: str
    do: Do = lambda page: None
    of_frame: bool = False


def click(selector: str) -> Do:
    return lambda page: page.locator(selector).first.click()


def all_open(page: Page) -> None:
    page.evaluate("document.querySelectorAll('main details').forEach((fold) => (fold.open = true))")


def folds_open(page: Page) -> None:
    """Without the menus, which lie over what is below them."""
    page.evaluate(
        "document.querySelectorAll('main details:not([data-menu])').forEach((fold) => (fold.open = true))"
    )


def filled_in(page: Page) -> None:
    page.get_by_label("Phone number").fill("(415) 555-0142")
    page.locator("#id_routine").select_option(index=1)
    page.get_by_label("Customer").fill("Kofi")
    page.get_by_label("Day").fill("Monday")
    expect(page.locator(".preview")).to_be_visible()


def changed_by_another(page: Page) -> None:
    page.fill("#c0-text", "Mine")
    Routine.objects.filter(name="Right").update(
        revision=7, changed_by="ben", draft='[{"name": "Say", "text": "Theirs"}]'
    )
    page.get_by_role("button", name="Save draft").first.click()


def contact_changed(page: Page) -> None:
    page.get_by_label("Name").fill("Mine")
    Contact.objects.filter(pk=900002).update(revision=7, name="Theirs")
    page.get_by_role("button", name="Save").click()


def marked_number(page: Page) -> None:
    page.get_by_label("Phone number").fill("(415) 555-0199")


def name_for_a_number(page: Page) -> None:
    page.get_by_label("Phone number").fill("Name 1")


def without_its_token(page: Page) -> None:
    page.evaluate("document.querySelectorAll('[name=csrfmiddlewaretoken]').forEach((one) => one.remove())")
    page.get_by_role("button", name="Save").click()


def shown_addresses(page: Page) -> None:
    page.get_by_role("button", name="Show the addresses").click()


def same_name(page: Page) -> None:
    page.get_by_label("Name").fill("GREY TAG")
    page.get_by_role("button", name="Make the tag").click()


def row_selected(page: Page) -> None:
    page.locator("tbody [name=call]").first.check()


def all_that_match(page: Page) -> None:
    page.get_by_label("Select all on this page").check()
    page.get_by_label("All that match").check()


def asked_about_all(page: Page) -> None:
    all_that_match(page)
    page.fill("#bulk-tag", "Grey tag")
    page.get_by_role("button", name="Put on").click()


def none_tagged(page: Page) -> None:
    page.locator("tbody [name=call]").first.check()
    page.fill("#bulk-tag", "No such tag")
    page.get_by_role("button", name="Take off").click()


def taken_name(page: Page) -> None:
    page.click("#views-menu")
    page.fill("#view-name", "OWN VIEW")
    page.click("#view-save")


def bad_export(page: Page) -> None:
    page.click("#export-menu")
    page.evaluate("document.querySelector('.export [name=query]').value = 'tag=gone'")
    page.click("#export-do")


def wrong_password(page: Page) -> None:
    page.fill("input[name=username]", "root")
    page.fill("input[name=password]", "wrong")
    page.keyboard.press("Enter")


CALLS = [
    State("board", "/", "Called in"),
    State("board, hang-up armed", "/", "Keep", click("[data-arm]")),
    State("board, mine", "/?mine=1", "Calls in progress"),
    State("board, all hidden", "/?q=zzz", "Calls in progress"),
    State("keys", "/", "Back out", lambda page: page.keyboard.press("?"), of_frame=True),
    State(
        "the person's menu",
        "/accounts/preferences/",
        "Sign out",
        click("[data-menu].menu .person"),
        of_frame=True,
    ),
    State("wallboard", "/?wall=1", "Connected"),
    State("calls", "/calls/", "124 calls"),
    State("calls, an older page", "/calls/", "Newer", click("[rel=next]")),
    State("calls, filtered", "/calls/?q=415&status=failed&since=2026-05-01", "415"),
    State("calls, filters open", "/calls/?status=failed&q=c0010", "Failed", all_open),
    State("calls, none found", "/calls/?q=zzz", "zzz"),
    State("calls, a filter that is wrong", "/calls/?since=banana", "Enter a date as 2026-05-31"),
    State("calls, one selected", "/calls/?status=failed", "1 of 13 on this page", row_selected),
    State("calls, all that match", "/calls/?status=finished", "50 of 50 on this page", all_that_match),
    State("a live call", "/calls/a1/", "First seen here", folds_open),
    State("a call of a browser client", "/calls/a2/", "browser client", folds_open),
    State("a failed call", "/calls/a3/", "Failed"),
    State("a past call", "/calls/a4/", "Finished", folds_open),
    State("an unconfirmed call", "/calls/a5/", "Unconfirmed"),
    State("a lost call", "/calls/a6/", "Lost"),
]
VIEWS = [
    State("views, open", "/calls/?q=zzz", "Save these filters as", click("#views-menu")),
    State("a view, its name taken", "/calls/?q=zzz", "You have a view “Own view”", taken_name),
    State("a view that is open", "/calls/?q=415&tag=gone", "There is no “gone” to choose.", all_open),
    State("views", "/v/", "Shared by others"),
    State("a view that was deleted", "/v/", "was deleted", click("[aria-label='Delete Own view']")),
    State("a view to change", "/v/{view}/change/", "For all to use"),
    State("no such view", "/v/nothing/", "There is no such view"),
    State("all countries", "/calls/choices/country/?q=415", "United Kingdom"),
    State("calls to be tagged", "/calls/?status=finished", "counted just now", asked_about_all),
    State("no call tagged", "/calls/?status=failed", "No call was tagged", none_tagged),
]
TAGGED = [
    State("a call, tags open", "/calls/a1/", "New tag", click("#tag-menu-open")),
    State("a call, a note being changed", "/calls/a4/", "Change the note", click("[id$=-change]")),
    State("a call, an empty note", "/calls/a4/", "Write something first.", click("#note-write")),
    State("tags", "/calls/tags/", "Grey tag"),
    State("tags, one that cannot be", "/calls/tags/", "There is a tag of this name.", same_name),
    State("a tag", "/calls/tags/{tag}/", "Every call that has the tag"),
    State("a tag, deleted", "/calls/tags/{tag}/delete/", "This cannot be undone."),
    State("many tagged, running", "/calls/tags/bulk/{running}/", "0 of 9 calls dealt with"),
    State("many tagged", "/calls/tags/bulk/{done}/", "Put on 0 calls."),
]
EXPORTS = [
    State("calls to be exported", "/calls/?q=c0110", "Your exports", click("#export-menu")),
    State("what cannot be exported", "/calls/?q=c0110", "Nothing was exported", bad_export),
    State("exports", "/exports/", "Ready: 1,034,567 calls."),
    State("an export that waits", "/exports/{export_waiting}/", "Waiting for its turn."),
    State("an export being made", "/exports/{export_running}/", "1,034,567 of about 1,234,567 calls"),
    State("an export that is there", "/exports/{export_done}/", "Download"),
    State("an export that failed", "/exports/{export_failed}/", "Start again"),
    State("an export that was stopped", "/exports/{export_stopped}/", "Stopped after 1,034,567 calls."),
]
CONTROL = [
    State("place a call", "/calls/place/", "Browser client"),
    State("place a call, filled in", "/calls/place/", "Customer", filled_in),
    State("place a call, wrong", "/calls/place/?number=12", "not a", click("[data-place]")),
    State("place a call, commands", "/calls/place/", "A list of commands, as JSON", all_open),
    State("a request being sent", "/calls/requests/{sending}/", "Asking Sift"),
    State("a request that Sift took", "/calls/requests/{accepted}/", "Sift took the call"),
    State("a request nobody knows of", "/calls/requests/{unknown}/", "It may be ringing."),
    State("a request that was refused", "/calls/requests/{rejected}/", "This number is blocked."),
    State("send a routine", "/calls/a1/routine/", "This replaces what the call was given before"),
    State(
        "send a routine, wrong",
        "/calls/a1/routine/",
        "Choose a routine, or write commands.",
        click("main [type=submit]"),
    ),
    State("send a routine, too late", "/calls/a4/routine/", "The call has ended."),
    State("hang up", "/calls/a1/hangup/", "The call ends for everybody on it."),
]
CONTACTS = [
    State("contacts", "/contacts/", "62 contacts"),
    State("contacts, none found", "/contacts/?q=zzz&do_not_call=1", "has “zzz” in its name"),
    State("contacts, the next page", "/contacts/", "Before", click("[rel=next]")),
    State("a contact", "/contacts/900001/", "Do not call"),
    State("a contact with much to say", "/contacts/900002/", "Changes"),
    State("a new contact", "/contacts/new/?endpoint=ana", "Add the contact"),
    State("a new contact, wrong", "/contacts/new/?endpoint=12", "too short", click("main [type=submit]")),
    State("a contact to delete", "/contacts/900001/delete/", "Keep"),
    State("a contact that another changed", "/contacts/900002/", "Yours, as you wrote it", contact_changed),
    State("contacts to import", "/contacts/import/", "A CSV file"),
    State("what an import would do", f"/contacts/import/{DRY_RUN}/", "Lines that cannot be taken"),
    State("contacts imported", f"/contacts/import/{DONE}/", "Contacts imported"),
    State("place a call, by name", "/calls/place/", "Whom do you mean?", name_for_a_number),
    State("place a call, marked", "/calls/place/", "Call although marked", marked_number),
]
ROUTINES = [
    State("routines", "/routines/", "Right"),
    State("routines, archived", "/routines/?archived=1", "Old"),
    State("one routine", "/routines/{right}/", "Versions", all_open),
    State("two versions", "/routines/{wrong}/compare/?from=1&to=draft", "line by line"),
    State("a new routine", "/routines/new/", "Publish", all_open),
    State("a routine being written", "/routines/{wrong}/edit/", "Is missing.", all_open),
    State("a routine that another changed", "/routines/{right}/edit/", "ben changed", changed_by_another),
]
REST = [
    State("sync", "/sync/", "An error that goes on", all_open),
    State("the addresses", "/sync/", "hooks/sift", shown_addresses),
    State("preferences", "/accounts/preferences/", "Country of numbers"),
    State("nothing is here", "/nowhere/", "Nothing is here"),
    State("an expired form", "/accounts/preferences/", "open too long", without_its_token),
    State("not understood", "/fails/400.html", "could not be understood"),
    State("something broke", "/fails/500.html", "The fault is ours"),
    State("no database", "/fails/503.html", "Calls themselves go on"),
]
NOTHING_YET = [
    State("board", "/", "Calls in progress"),
    State("wallboard", "/?wall=1", "Connected"),
    State("calls", "/calls/", "No calls yet"),
    State("exports", "/exports/", "No exports"),
    State("place a call", "/calls/place/", "Browser client"),
    State("contacts", "/contacts/", "No contacts yet"),
    State("routines", "/routines/", "New routine"),
    State("routines, archived", "/routines/?archived=1", "archived"),
    State("sync", "/sync/", "Sync"),
]
TO_A_VIEWER = [
    State("board", "/", "Called in"),
    State("a live call", "/calls/a1/", "First seen here"),
    State("routines", "/routines/", "Right"),
    State("sync", "/sync/", "Sync"),
    State("what a role does not allow", "/calls/place/", "You may not open this"),
]
SIGN_IN = [
    State("sign in", "/accounts/login/?next=/sync/", "Sign in to go on"),
    State("sign in, refused", "/accounts/login/", "The name or the password is not right.", wrong_password),
]
