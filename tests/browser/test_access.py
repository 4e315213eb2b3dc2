"""No page, in any of its states, breaks a rule of access, is wider than the window, or hides the focus.

One table a feature: the state's name, where it is, what is done there, and what tells that it was reached.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Group
from django.db.models import Model
from django.template.loader import render_to_string
from django.utils import timezone
from playwright.sync_api import Page, Route, TimeoutError, expect

from connections_app.admin.read_only import ReadOnlyAdmin
from connections_app.audit.log import record
from connections_app.control.requests import DEADLINE
from connections_app.models import (
    Action,
    BulkTagging,
    Callback,
    CallRequest,
    CallTag,
    Colour,
    Connection,
    Contact,
    ContactImport,
    Doubt,
    EarlierText,
    Export,
    InboundRule,
    Note,
    Operator,
    Outcome,
    Push,
    Role,
    Routine,
    SavedView,
    Script,
    SyncState,
    Tag,
    UnusableRow,
    Verb,
    Walk,
    WallLink,
)
from connections_app.models.requests import Settled
from tests.browser.rules import broken
from tests.browser.test_routines import MANY, saved
from tests.factories import many, seen

# Each test checks a table of states in both themes and widths, which takes minutes where axe is slow.
pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.timeout(1200),
]

Open = Callable[..., Page]
SignIn = Callable[..., Page]
Do = Callable[[Page], object]
LONG = "An error that goes on " * 20 + "https://api.example/" + "x" * 300


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
DRY_RUN, DONE = "6f1c0f6e-0000-4000-8000-000000000001", "6f1c0f6e-0000-4000-8000-000000000002"
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


@pytest.fixture
def keys(administrator: Operator) -> dict[str, object]:
    """Calls, requests, routines and walks in every state; the ids that addresses are written with."""
    Routine.objects.filter(name="Old").delete()
    calls_in_every_state()
    walks_in_every_state()
    what_else_the_admin_lists(administrator)
    requests = {outcome.value: asked(outcome, administrator) for outcome in Outcome}
    saved("Old", [{"name": "HangUp"}])
    Routine.objects.filter(name="Old").update(archived_at=timezone.now())
    right = saved("Right", [{"name": "Say", "text": "x" * 300}, {"name": "GetDate", "odd": "y" * 90}])
    wrong = saved("Wrong", [{"name": "HangUp"}], draft=MANY)
    bulks = {bulk.state: bulk.pk for bulk in BulkTagging.objects.all()}
    tag = Tag.objects.earliest("pk").pk
    pages = {"right": right.pk, "wrong": wrong.pk, "tag": tag, "administrator": administrator.pk}
    view = views_in_every_state(administrator)
    exports = exports_in_every_state(administrator)
    return bulks | requests | pages | exports | {"view": view}


def calls_in_every_state() -> None:
    many(118)
    started = {"start_time": "2026-05-10T02:28:17Z"}
    live = {"status": "connected", "direction": "incoming"} | started
    seen(
        {"connection_id": "a1", "status": "connecting", "to": "+14155550142", "direction": "incoming"},
        {"connection_id": "a2", "from": "webrtc:ana", "direction": "outgoing"} | live,
        {"connection_id": "a3", "status": "failed", "to": "+15554443333"} | started,
        {"connection_id": "a4", "client_data": {"<b>": "x" * 300}, "from": "+442079460018"} | started,
        {"connection_id": "a5", "to": "+12125550199"} | live,
        {"connection_id": "a6", "to": "webrtc:" + "long-name-" * 20} | live,
    )
    seen({"connection_id": "a2", "direction": "outgoing", "status": "connected"})
    Connection.objects.filter(connection_id="a2").update(direction="outgoing")
    Connection.objects.filter(connection_id="a5").update(doubt=Doubt.UNCONFIRMED)
    Connection.objects.filter(connection_id="a6").update(doubt=Doubt.LOST)


def walks_in_every_state() -> None:
    for number, state in enumerate(Walk.State):
        error = LONG if state == Walk.State.FAILED else ""
        ended = None if state == Walk.State.RUNNING else timezone.now()
        Walk.objects.create(
            full=number % 2 == 0, origin="schedule", fence=number, state=state, finished_at=ended, error=error
        )
    SyncState.objects.update_or_create(
        pk=1, defaults={"failing_since": timezone.now(), "error": LONG, "full_wanted": False}
    )
    UnusableRow.objects.create(
        digest="0", payload={"id": "x" * 300}, reason="Its status is not known.", last_seen_at=timezone.now()
    )


def what_else_the_admin_lists(operator: Operator) -> None:
    call = Connection.objects.get(connection_id="a1")
    script = Script.objects.create(
        connection=call, origin="pushed", commands=[{"name": "HangUp"}], preview="Hangs up.", dials=False
    )
    Push.objects.create(
        **sending(Outcome.ACCEPTED, operator), kind=Push.Kind.ROUTINE, connection=call, script=script
    )
    Operator.objects.create(username="newcomer", password="!")
    now = timezone.now()
    Callback.objects.create(
        digest="0",
        kind="status",
        connection=call,
        body={},
        status=200,
        first_at=now,
        last_at=now,
        milliseconds=3,
    )
    record(Verb.PUSH, Action.Phase.INTENT, operator, connection_id="a1", payload={"commands": "x" * 300})
    routine = Routine.objects.exclude(published=None).first()
    InboundRule.objects.create(name="Night", days="67", time_zone="Europe/Berlin", routine=routine)
    WallLink.objects.create(name="Floor 2", made_by=operator)
    contacts_in_every_state(operator)
    tags_and_notes(operator)


def tags_and_notes(operator: Operator) -> None:
    """Tags of every colour, on a call with notes that were changed and taken away, and on many at once."""
    now, name = timezone.now(), operator.username
    tags = [Tag.objects.create(name=f"{colour.label} tag", colour=colour, made_by=name) for colour in Colour]
    call = Connection.objects.get(connection_id="a4")
    for tag in tags:
        CallTag.objects.create(connection=call, tag=tag, at=call.at, tagged_by=name)
    written = {"connection": call, "author": operator, "author_name": name}
    changed = Note.objects.create(**written, text="Wants a refund.\n" + "x" * 300, edited_at=now)
    EarlierText.objects.create(note=changed, text="Wants two", replaced_by=name)
    Note.objects.create(**written, text="Gone", removed_at=now, removed_by=name)
    for state in BulkTagging.State:
        BulkTagging.objects.create(
            tag=tags[0],
            adds=True,
            operator=operator,
            operator_name=name,
            counted=9,
            state=state,
            query="q=415",
        )


def exports_in_every_state(owner: Operator) -> dict[str, int]:
    """One in each state, with its key."""
    now = timezone.now()
    for state in Export.State:
        Export.objects.create(
            owner=owner,
            format="csv",
            query="q=415&tag=Grey+tag&status=failed&status=finished&since=2026-05-01",
            columns=[],
            time_zone="America/Argentina/ComodRivadavia",
            name="calls_2026-05-01_2026-11-30.csv",
            counted=1_234_567,
            written=1_034_567,
            length=155_000_000,
            state=state,
            reason=LONG if state == Export.State.FAILED else "",
            working_since=now,
            ended_at=None if state in (Export.State.WAITING, Export.State.RUNNING) else now,
        )
    return {f"export_{one.state}": one.pk for one in Export.objects.all()}


def views_in_every_state(owner: Operator) -> str:
    """One's own, another's, and one that asks for a tag that is gone; the code of the latter."""
    other = Operator.objects.create_user("owner-" * 20, first_name="Maximiliane", last_name="x" * 100)
    SavedView.objects.create(name="Own view", query="q=415&status=finished", owner=owner)
    SavedView.objects.create(name="y" * 100, query="sort=longest&when=7d", owner=other, is_shared=True)
    return SavedView.objects.create(name="z" * 100, query="q=415&tag=gone", owner=owner, is_shared=True).code


def contacts_in_every_state(operator: Operator) -> None:
    notes, by = "Prefers mail. " * 40, {"changed_by": "ben"}
    Contact.objects.create(pk=900001, endpoint="+14155550199", name="Marked Lima", do_not_call=True, **by)
    Contact.objects.create(pk=900002, endpoint=f"webrtc:{'x' * 200}", name="y" * 200, notes=notes, **by)
    Contact.objects.bulk_create(
        Contact(endpoint=f"+1212555{n:04}", name=f"Name {n}", **by) for n in range(60)
    )
    file = {"owner": operator, "file_name": "people.csv", "ignored": ["e-mail"]}
    lines = [[2, "+14155550199", "Other", "", False], [3, "+14155550198", "New", "z" * 300, True]]
    ContactImport.objects.create(
        pk=DRY_RUN, lines=lines, bad=[[4, "12 Bad", "It is too short."]], merged=1, **file
    )
    result = dict.fromkeys(("new", "changed", "same", "merged", "bad", "marked", "unmarked"), 1)
    ContactImport.objects.create(pk=DONE, lines=[], bad=[], done_at=timezone.now(), result=result, **file)


def asked(outcome: Outcome, operator: Operator) -> object:
    """The id of a request to place a call that has this outcome."""
    made = CallRequest.objects.create(**sending(outcome, operator), phone_number="+14155550142")
    return made.request_id


def sending(outcome: Outcome, operator: Operator) -> dict[str, Any]:
    return {
        "request_id": uuid4(),
        "digest": "0",
        "contents": {"phone_number": "+14155550142"},
        "operator": operator,
        "operator_name": operator.username,
        "deadline": timezone.now() + DEADLINE + timedelta(hours=1),
        "outcome": outcome,
        "reason": "This number is blocked." if outcome == Outcome.REJECTED else "",
        "settled_by": Settled.ANSWER if outcome == Outcome.REJECTED else "",
    }


@pytest.fixture
def check(axe: str) -> Callable[..., None]:
    """Bring a page into each state of a table, and tell all that is broken there."""

    def check(page: Page, states: list[State], keys: dict[str, Any] | None = None) -> None:
        found: list[str] = []
        for state in states:
            page.goto(state.address.format(**keys or {}))
            with_frame = state.of_frame or state is states[0]
            problems = reached(page, state) or broken(page, axe, with_frame=with_frame)
            found += [f"{state.name} {problem}" for problem in problems]
        assert not found, "\n".join(found)

    return check


def reached(page: Page, state: State) -> list[str]:
    """Bring the page into the state; what tells that it is not there."""
    try:
        state.do(page)
        expect(page.get_by_text(state.sign).filter(visible=True).first).to_be_visible()
    except (AssertionError, TimeoutError) as missing:
        return [f"is not reached, {page.url}: {missing}".partition("\nCall log")[0]]
    return []


@pytest.mark.parametrize(
    "states",
    [
        CALLS[:4],
        CALLS[4:7],
        CALLS[7:15],
        CALLS[15:],
        VIEWS,
        TAGGED,
        EXPORTS,
        CONTROL,
        CONTACTS,
        ROUTINES,
        REST,
    ],
    ids=[
        "board",
        "frame and wall",
        "calls",
        "one call",
        "views",
        "tagged",
        "exports",
        "control",
        "contacts",
        "routines",
        "rest",
    ],
)
def test_pages_with_calls_in_every_state(
    open_page: Open,
    sign_in: SignIn,
    keys: dict[str, object],
    check: Callable[..., None],
    states: list[State],
) -> None:
    page = sign_in(open_page())
    page.route("**/fails/*", failing)
    check(page, states, keys)


def test_pages_of_a_dashboard_that_has_seen_nothing(
    open_page: Open, sign_in: SignIn, check: Callable[..., None]
) -> None:
    check(sign_in(open_page()), NOTHING_YET)


def test_pages_for_those_who_may_only_look(
    open_page: Open,
    sign_in: SignIn,
    keys: dict[str, object],
    check: Callable[..., None],
    make_operator: Callable[..., Operator],
) -> None:
    make_operator("viewer", Role.VIEWER)
    check(sign_in(open_page(), "viewer"), TO_A_VIEWER)


def test_signing_in(open_page: Open, administrator: Operator, check: Callable[..., None]) -> None:
    check(open_page(), SIGN_IN)


def failing(route: Route) -> None:
    """Answer with a page that is shown only when something fails, under the policy of all pages."""
    policy = route.fetch(url=route.request.url.replace("/fails/", "/accounts/")).headers
    name = route.request.url.rsplit("/", 1)[1]
    route.fulfill(
        body=render_to_string(name),
        headers={
            "content-type": "text/html",
            "content-security-policy": policy["content-security-policy"],
        },
    )


@pytest.mark.parametrize("address", ["/admin/{folder}/", "/admin/{row}/change/"])
def test_the_admin_where_it_is_read(
    open_page: Open, sign_in: SignIn, keys: dict[str, object], check: Callable[..., None], address: str
) -> None:
    read_only = [model for model in site._registry if is_read_only(model)]
    pages = [address.format(folder=folder(model), row=last(model)) for model in read_only]
    check(sign_in(open_page()), in_admin(["/admin/", *pages]))


def test_the_admin_where_things_are_managed(
    open_page: Open, sign_in: SignIn, keys: dict[str, object], check: Callable[..., None]
) -> None:
    pages = ["password_change/", f"{last(Operator)}/password/", f"{last(Operator)}/history/"]
    pages += [f"{last(model)}/delete/" for model in (Group, InboundRule, Operator)]
    # Whoever is on record cannot be deleted.
    pages += [f"{folder(Operator)}/{keys['administrator']}/delete/"]
    for model in [model for model in site._registry if not is_read_only(model)]:
        pages += [f"{folder(model)}/", f"{folder(model)}/add/", f"{last(model)}/change/"]
    check(sign_in(open_page()), in_admin([f"/admin/{page}" for page in pages]))


def in_admin(pages: list[str]) -> list[State]:
    return [State(page, page, "Log out") for page in pages]


def is_read_only(model: type[Model]) -> bool:
    return isinstance(site._registry[model], ReadOnlyAdmin)


def folder(model: type[Model]) -> str:
    return f"{model._meta.app_label}/{model._meta.model_name}"


def last(model: type[Model]) -> str:
    """The address of the model's newest row; each has one."""
    newest = model._default_manager.order_by("pk").last()
    assert newest is not None, model
    return f"{folder(model)}/{newest.pk}"
