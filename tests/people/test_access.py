"""Who may not, cannot: every address for every role."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django.asserts import assertContains, assertNotContains

from connections_app.models import (
    Action,
    BulkTagging,
    Connection,
    Contact,
    Note,
    Operator,
    Role,
    Routine,
    SyncState,
    Tag,
    Walk,
)
from connections_app.sync.account import claim
from tests.factories import seen

pytestmark = pytest.mark.django_db

REQUEST_ID, TOKEN = "6f1c0f6e-0000-4000-8000-000000000000", "x" * 43
STANDS_FOR = {
    "connection_id": "a1",
    "pk": "1",
    "request_id": REQUEST_ID,
    "import_id": REQUEST_ID,
    "token": TOKEN,
    "code": "abc",
    "name": "tag",
}
PARAMETER = re.compile(r"<\w+:(\w+)>")
OPEN = {"/healthz", "/readyz", "/accounts/login/"}
HOOKS = {f"/hooks/sift/{kind}/{TOKEN}{end}" for kind in ("status", "incoming", "done") for end in ("/", "")}
PLACING = ["/calls/place/", "/calls/place/check/"]
STEERING = [
    *("/calls/a1/routine/", "/calls/a1/routine/check/", "/calls/a1/hangup/", "/calls/a1/check/"),
    "/calls/a1/clear/",
]
REQUEST = f"/calls/requests/{REQUEST_ID}/"
# Answers what is asked with `q`; without, it is a call's address as any other.
SEARCH = "/calls/search/"
COLUMNS = "/accounts/columns/"
# With POST, a file of calls; without, it is a call's address as any other.
EXPORT = "/calls/export/"
EXPORTS = ["/exports/", "/exports/1/", "/exports/1/file/"]
EXPORT_BUTTONS = [f"/exports/1/{button}/" for button in ("stop", "again", "delete")]
TAGS = "/calls/tags/"
TAG = [f"{TAGS}1/", f"{TAGS}1/delete/"]
BULK = f"{TAGS}bulk/"
BULK_BUTTONS = [BULK, f"{BULK}confirm/", f"{BULK}1/stop/", f"{BULK}1/undo/"]
NOTE = "/calls/a1/notes/1/"
# What operators write to a call, as buttons.
WRITTEN = ["/calls/a1/tags/", "/calls/a1/notes/", f"{NOTE}away/", f"{NOTE}back/"]
HISTORY = [*TAG, *BULK_BUTTONS, f"{BULK}1/", NOTE, *WRITTEN]
PAGES = ["/", "/calls/", "/calls/a1/", TAGS, f"{TAGS}names/", "/exports/", "/sync/", "/accounts/preferences/"]
ROUTINES = ["/routines/", "/routines/1/", "/routines/1/compare/", "/routines/schema.json"]
CONTACTS = ["/contacts/", "/contacts/1/", "/contacts/for/"]
CHANGING = ["/contacts/new/", "/contacts/1/delete/", "/contacts/put-back/"]
IMPORTING = ["/contacts/import/", f"/contacts/import/{REQUEST_ID}/", "/contacts/export/"]
VIEWS = [
    "/v/",
    "/v/abc/",
    "/v/abc/change/",
    *(f"/calls/choices/{name}/" for name in ("operator", "tag", "country")),
]
VIEW_BUTTONS = ["/v/put-back/", "/v/abc/delete/"]
WRITING = ["/routines/new/", "/routines/1/edit/"]
LIBRARY_BUTTONS = [f"/routines/1/{button}/" for button in ("bring-back", "archive", "unarchive", "delete")]
SYNC_BUTTONS = [
    "/sync/now/",
    "/sync/everything/",
    "/sync/pause/",
    "/sync/resume/",
    "/sync/unusable-rows/retry/",
]
Make = Callable[..., Operator]


def routes() -> list[str]:
    """Every route of ours, as it is written in `urls.py`."""
    found = []

    def collect(patterns: list[URLPattern | URLResolver], prefix: str) -> None:
        for pattern in patterns:
            route = f"{prefix}{pattern.pattern}"
            if route.startswith("admin/"):
                continue
            if isinstance(pattern, URLResolver):
                collect(pattern.url_patterns, route)
            else:
                found.append(route)

    collect(get_resolver().url_patterns, "")
    return found


def addresses() -> list[str]:
    """Every address of ours, with something in the place of each parameter."""
    return ["/" + PARAMETER.sub(lambda one: STANDS_FOR[one[1]], route) for route in routes()]


def test_the_lists_here_are_complete() -> None:
    listed = {*PAGES, *ROUTINES, *WRITING, *SYNC_BUTTONS, *LIBRARY_BUTTONS, *PLACING, *STEERING, *HISTORY}
    requests = {REQUEST, f"{REQUEST}settle/"}
    contacts = {*CONTACTS, *CHANGING, *IMPORTING}
    others = {"/wall/", f"/wall/{TOKEN}/", "/accounts/logout/", "/sync/callbacks/", SEARCH, COLUMNS}
    views, exports = {*VIEWS, *VIEW_BUTTONS}, {EXPORT, *EXPORTS, *EXPORT_BUTTONS}
    assert set(addresses()) == OPEN | HOOKS | listed | requests | contacts | others | views | exports


def test_callbacks_need_a_token_and_nobody_signed_in(client: Client) -> None:
    for address in HOOKS:
        answer = client.post(address, "{}", content_type="application/json")
        assert (address, answer.status_code) == (address, 404)


def test_a_viewer_places_and_steers_nothing(signed_in: Client) -> None:
    seen({"connection_id": "a1", "status": "connected", "to": "+14155550142"})
    for address in [*PLACING, *STEERING]:
        assert (address, signed_in.post(address).status_code) == (address, 403)
    assert not Action.objects.exists()
    for page in ("/", "/calls/a1/"):
        assertNotContains(signed_in.get(page), "Hang up")
        assertNotContains(signed_in.get(page), "/calls/place/")


def test_an_operator_places_calls_but_steers_no_other_persons(client: Client, make_operator: Make) -> None:
    seen({"connection_id": "a1", "status": "connected", "to": "+14155550142"})
    client.force_login(make_operator(role=Role.OPERATOR))
    assert client.get("/calls/place/").status_code == 200
    for address in STEERING:
        assert (address, client.post(address).status_code) == (address, 403)
    assertNotContains(client.get("/calls/a1/"), "Hang up")
    assert not Action.objects.exists()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.SUPERVISOR])
def test_only_an_administrator_sees_the_callback_addresses(
    client: Client, make_operator: Make, role: Role
) -> None:
    client.force_login(make_operator(role=role))
    assert client.post("/sync/callbacks/").status_code == 403
    assert not Action.objects.exists()


def test_that_an_administrator_saw_them_is_on_record(client: Client, make_operator: Make) -> None:
    account = claim()
    client.force_login(make_operator("root", Role.ADMINISTRATOR))
    assertNotContains(client.get("/sync/"), account.incoming_token)
    assertContains(client.post("/sync/callbacks/"), account.incoming_token)
    assert [(action.actor, action.verb) for action in Action.objects.all()] == [("root", "show_address")]


@pytest.mark.parametrize(
    "address",
    [
        *(*PAGES, *ROUTINES, *WRITING, *SYNC_BUTTONS, *LIBRARY_BUTTONS),
        *(*PLACING, *STEERING, REQUEST, f"{REQUEST}settle/", "/sync/callbacks/", SEARCH, COLUMNS),
        *HISTORY,
        *(*CONTACTS, *CHANGING, *IMPORTING),
        *(*VIEWS, *VIEW_BUTTONS),
        *(EXPORT, *EXPORTS, *EXPORT_BUTTONS),
        *("/admin/", "/admin/connections_app/connection/"),
    ],
)
def test_who_is_not_signed_in_sees_nothing(client: Client, address: str) -> None:
    seen({"connection_id": "a1"})
    for answer in (client.get(address), client.post(address)):
        assert answer.status_code == 302
        assert answer["Location"].startswith(("/accounts/login/?next=", "/admin/login/?next="))


def test_a_fragment_takes_the_whole_page_to_sign_in_and_back(client: Client) -> None:
    answer = client.get("/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/calls/?q=7"})
    assert answer["HX-Redirect"].startswith("/accounts/login/?next=/calls/")
    assert answer.content == b""


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("address", [*PAGES, *ROUTINES, f"{SEARCH}?q=a1"])
def test_every_role_sees_every_page(client: Client, make_operator: Make, role: Role, address: str) -> None:
    seen({"connection_id": "a1"})
    client.force_login(make_operator(role=role))
    assert client.get(address).status_code == 200


@pytest.mark.parametrize("role", list(Role))
def test_every_role_chooses_columns(client: Client, make_operator: Make, role: Role) -> None:
    client.force_login(make_operator(role=role))
    assert client.post(COLUMNS, {"list": "calls"}).status_code == 303


@pytest.mark.parametrize("address", HISTORY)
def test_a_viewer_writes_no_notes_and_tags_nothing(signed_in: Client, address: str) -> None:
    seen({"connection_id": "a1"})
    call = Connection.objects.get()
    tag = Tag.objects.create(pk=1, name="Refund", made_by="ben")
    Note.objects.create(pk=1, connection=call, author_name="ben", text="x")
    BulkTagging.objects.create(pk=1, tag=tag, adds=True, counted=0)
    form = {"text": "y", "put": "Refund", "name": "Mine", "colour": "red", "tag": "Refund", "do": "add"}
    ask = signed_in.get if address == f"{BULK}1/" else signed_in.post
    assert ask(address, form | {"call": call.pk, "request_id": REQUEST_ID}).status_code == 403
    assert not Action.objects.exists()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
@pytest.mark.parametrize("address", SYNC_BUTTONS)
def test_the_sync_is_not_for_all_to_steer(
    client: Client, make_operator: Make, role: Role, address: str
) -> None:
    client.force_login(make_operator(role=role))
    assert client.post(address).status_code == 403
    assert SyncState.objects.get().paused_at is None
    assert not Walk.objects.exists()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
@pytest.mark.parametrize("address", [*WRITING, *LIBRARY_BUTTONS])
def test_routines_are_not_for_all_to_write(
    client: Client, make_operator: Make, role: Role, address: str
) -> None:
    client.force_login(make_operator(role=role))
    before = list(Routine.objects.order_by("pk").values())
    assert client.post(address, {"revision": 1, "do": "publish"}).status_code == 403
    assert list(Routine.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("address", [*CHANGING, "/contacts/1/"])
def test_a_viewer_changes_no_contact(signed_in: Client, address: str) -> None:
    kept = Contact.objects.create(pk=1, endpoint="+14155550142", name="Ana", changed_by="ben")
    form = {"endpoint": "+14155550142", "name": "Other", "revision": 1}
    assert signed_in.post(address, form).status_code == 403
    assert [(one.pk, one.name) for one in Contact.objects.all()] == [(kept.pk, "Ana")]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
@pytest.mark.parametrize("address", IMPORTING)
def test_files_of_contacts_are_not_for_all(
    client: Client, make_operator: Make, role: Role, address: str
) -> None:
    client.force_login(make_operator(role=role))
    assert client.post(address).status_code == 403
    assert not Action.objects.exists()


@pytest.mark.parametrize("role", list(Role))
def test_every_role_sees_contacts(client: Client, make_operator: Make, role: Role) -> None:
    Contact.objects.create(pk=1, endpoint="+14155550142", name="Ana", changed_by="ben")
    client.force_login(make_operator(role=role))
    for address in ("/contacts/", "/contacts/1/"):
        assertContains(client.get(address), "Ana")


@pytest.mark.parametrize("address", WRITING)
def test_supervisors_write_routines(client: Client, make_operator: Make, address: str) -> None:
    client.force_login(make_operator(role=Role.SUPERVISOR))
    assert client.get(address).status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        *SYNC_BUTTONS,
        *LIBRARY_BUTTONS,
        *BULK_BUTTONS,
        *VIEW_BUTTONS,
        *EXPORT_BUTTONS,
        *WRITTEN,
        COLUMNS,
        "/contacts/put-back/",
        "/contacts/export/",
    ],
)
def test_buttons_are_not_links(client: Client, make_operator: Make, address: str) -> None:
    client.force_login(make_operator(role=Role.SUPERVISOR))
    answer = client.get(address)
    assert (answer.status_code, address.startswith(answer["Location"])) == (302, True)
    assert not Action.objects.exists()


def test_a_deactivated_person_is_out_at_once(signed_in: Client) -> None:
    Operator.objects.update(is_active=False)
    assert signed_in.get("/").status_code == 302


def test_only_staff_enter_the_admin(client: Client, make_operator: Make) -> None:
    client.force_login(make_operator(role=Role.OPERATOR))
    assert client.get("/admin/").status_code == 302
    assert client.get("/admin/", follow=True).status_code == 403


def test_signing_in_leads_back_to_our_own_pages_only(client: Client, make_operator: Make) -> None:
    make_operator("ana")
    form = {"username": "ana", "password": "correct horse"}
    answer = client.post("/accounts/login/?next=https://elsewhere.example/", form)
    assert answer["Location"] == "/"
    client.logout()
    answer = client.post("/accounts/login/", form | {"next": "/calls/?q=7"})
    assert answer["Location"] == "/calls/?q=7"


def test_a_wrong_password_says_so_and_nothing_more(client: Client, make_operator: Make) -> None:
    make_operator("ana")
    answer = client.post("/accounts/login/", {"username": "ana", "password": "wrong"})
    assert answer.status_code in (200, 422)
    assert b"The name or the password is not right." in answer.content


@pytest.mark.parametrize("address", [*PAGES, *ROUTINES, *WRITING, "/accounts/login/", "/admin/", "/nowhere/"])
def test_every_page_carries_a_strict_policy(client: Client, make_operator: Make, address: str) -> None:
    seen({"connection_id": "a1", "client_data": "<script>"})
    operator = make_operator(role=Role.ADMINISTRATOR, is_staff=True, is_superuser=True)
    if address != "/accounts/login/":
        client.force_login(operator)
    answer = client.get(address)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    page = answer.content.decode()
    assert "<style" not in page
    assert " style=" not in page
    assert " onclick=" not in page
    assert all("src=" in tag or 'type="application/json"' in tag for tag in scripts(page))


def scripts(page: str) -> list[str]:
    return [part.split(">", 1)[0] for part in page.split("<script")[1:]]
