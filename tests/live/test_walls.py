"""An administrator makes links to the wallboard, and revokes them; both are on record."""

from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from connections_app.models import Action, Operator, Role, WallLink
from tests.factories import seen

pytestmark = pytest.mark.django_db

ADD = "/admin/connections_app/walllink/add/"
LIST = "/admin/connections_app/walllink/"


@pytest.fixture
def root(client: Client, make_operator: Callable[..., Operator]) -> Client:
    """An administrator by role, who is no superuser."""
    client.force_login(make_operator("root", Role.ADMINISTRATOR, is_staff=True))
    return client


def make(root: Client) -> WallLink:
    root.post(ADD, {"name": "Floor 2"})
    return WallLink.objects.get()


def test_a_new_link_is_shown_and_opens_the_wall(root: Client) -> None:
    seen(
        {"connection_id": "id-at-sift", "status": "connected", "to": "+14155550142", "direction": "incoming"}
    )
    link = make(root)
    assertContains(root.get(f"{LIST}{link.pk}/change/"), f"/wall/{link.token}/")
    browser = Client()
    opened = browser.get(f"/wall/{link.token}/")
    assertRedirects(opened, "/wall/")
    cookie = opened.cookies["wall"]
    assert (cookie.value, cookie["httponly"], cookie["samesite"]) == (link.token, True, "Lax")
    wall = browser.get("/wall/")
    assertNotContains(wall, link.token)
    assertContains(wall, "…0142")
    assertNotContains(wall, "555-0142")
    assertNotContains(wall, "id-at-sift")
    assert WallLink.objects.filter(made_by__username="root").exists()


def test_a_revoked_link_leads_nowhere(root: Client) -> None:
    link = make(root)
    browser = Client()
    browser.get(f"/wall/{link.token}/")
    root.post(LIST, {"action": "revoke", "_selected_action": [link.pk]})
    assert browser.get("/wall/").status_code == 404
    assert Client().get("/wall/").status_code == 404
    assert Client().get(f"/wall/{link.token}/").status_code == 404
    assertNotContains(root.get(f"{LIST}{link.pk}/change/"), link.token)
    assert [(one.actor, one.verb) for one in Action.objects.order_by("pk")] == [
        ("root", "share_wall"),
        ("root", "revoke_wall"),
    ]


def test_a_name_may_be_changed_and_nothing_deleted(root: Client) -> None:
    link = make(root)
    root.post(f"{LIST}{link.pk}/change/", {"name": "Floor 3"})
    assert root.post(f"{LIST}{link.pk}/delete/", {"post": "yes"}).status_code == 403
    before, link = link, WallLink.objects.get()
    assert (link.name, link.token) == ("Floor 3", before.token)


def test_others_make_none(client: Client, make_operator: Callable[..., Operator]) -> None:
    client.force_login(make_operator(role=Role.SUPERVISOR, is_staff=True))
    assert client.post(ADD, {"name": "Floor 2"}).status_code == 403
    assert not WallLink.objects.exists()


def test_the_wall_is_for_who_is_signed_in_without_a_link(client: Client, signed_in: Client) -> None:
    assert signed_in.get("/?wall=1").status_code == 200
    assert Client().get("/?wall=1").status_code == 302
