"""Who may not, cannot: every address for every role."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from connections_app.models import Operator, Role, SyncState, Walk
from tests.history.test_pages import seen

pytestmark = pytest.mark.django_db

OPEN = {"/healthz", "/readyz", "/accounts/login/"}
PAGES = ["/", "/calls/", "/calls/a1/", "/sync/", "/sync/freshness/", "/accounts/preferences/"]
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
                found.append("/" + route.replace("<str:connection_id>", "a1"))

    collect(get_resolver().url_patterns, "")
    return found


def test_the_lists_here_are_complete() -> None:
    assert set(addresses()) == OPEN | set(PAGES) | set(SYNC_BUTTONS) | {"/accounts/logout/"}


@pytest.mark.parametrize("address", [*PAGES, *SYNC_BUTTONS, "/admin/", "/admin/connections_app/connection/"])
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
@pytest.mark.parametrize("address", PAGES)
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


@pytest.mark.parametrize("address", SYNC_BUTTONS)
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


@pytest.mark.parametrize("address", [*PAGES, "/accounts/login/", "/admin/", "/nowhere/"])
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
