"""Who may not, cannot: every address for every role."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from connections_app.models import Operator, Role, Routine, SyncState, Walk
from tests.history.test_pages import seen

pytestmark = pytest.mark.django_db

OPEN = {"/healthz", "/readyz", "/accounts/login/"}
PAGES = ["/", "/calls/", "/calls/a1/", "/sync/", "/sync/freshness/", "/accounts/preferences/"]
ROUTINES = ["/routines/", "/routines/1/", "/routines/1/compare/", "/routines/schema.json"]
WRITING = ["/routines/new/", "/routines/1/edit/"]
LIBRARY_BUTTONS = [f"/routines/1/{button}/" for button in ("bring-back", "archive", "unarchive", "delete")]
SYNC_BUTTONS = ["/sync/now/", "/sync/everything/", "/sync/pause/", "/sync/resume/", "/sync/kept-aside/retry/"]
Make = Callable[..., Operator]


def addresses() -> list[str]:
    """Every address of ours, with something in the place of each parameter."""
    found = []

    def collect(patterns: list[URLPattern | URLResolver], prefix: str) -> None:
        for pattern in patterns:
            route = f"{prefix}{pattern.pattern}"
            if route.startswith("admin/"):
                continue
            if isinstance(pattern, URLResolver):
                collect(pattern.url_patterns, route)
            else:
                found.append("/" + route.replace("<str:connection_id>", "a1").replace("<int:pk>", "1"))

    collect(get_resolver().url_patterns, "")
    return found


def test_the_lists_here_are_complete() -> None:
    listed = {*PAGES, *ROUTINES, *WRITING, *SYNC_BUTTONS, *LIBRARY_BUTTONS}
    assert set(addresses()) == OPEN | listed | {"/accounts/logout/"}


@pytest.mark.parametrize(
    "address",
    [
        *(*PAGES, *ROUTINES, *WRITING, *SYNC_BUTTONS, *LIBRARY_BUTTONS),
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
@pytest.mark.parametrize("address", [*PAGES, *ROUTINES])
def test_every_role_sees_every_page(client: Client, make_operator: Make, role: Role, address: str) -> None:
    seen({"connection_id": "a1"})
    client.force_login(make_operator(role=role))
    assert client.get(address).status_code == 200


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


@pytest.mark.parametrize("address", WRITING)
def test_supervisors_write_routines(client: Client, make_operator: Make, address: str) -> None:
    client.force_login(make_operator(role=Role.SUPERVISOR))
    assert client.get(address).status_code == 200


@pytest.mark.parametrize("address", [*SYNC_BUTTONS, *LIBRARY_BUTTONS])
def test_buttons_are_not_links(client: Client, make_operator: Make, address: str) -> None:
    client.force_login(make_operator(role=Role.SUPERVISOR))
    assert client.get(address).status_code == 405


def test_a_deactivated_person_is_out_at_once(signed_in: Client) -> None:
    Operator.objects.update(is_active=False)
    assert signed_in.get("/").status_code == 302


def test_only_staff_enter_the_admin(client: Client, make_operator: Make) -> None:
    client.force_login(make_operator(role=Role.SUPERVISOR))
    assert client.get("/admin/").status_code == 302


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
