"""The role alone decides who may open the admin; who may not is told so."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from connections_app.models import Operator, Role

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("role", "opens"),
    [(Role.VIEWER, False), (Role.OPERATOR, False), (Role.SUPERVISOR, True), (Role.ADMINISTRATOR, True)],
)
def test_the_role_decides(
    client: Client, make_operator: Callable[..., Operator], role: Role, opens: bool
) -> None:
    client.force_login(make_operator(role=role))
    answer = client.get("/admin/", follow=True)
    assert answer.status_code == (200 if opens else 403)
    assert ("Supervisors and administrators may open it." in answer.content.decode()) is not opens


def test_a_role_that_is_taken_closes_the_admin(make_operator: Callable[..., Operator]) -> None:
    operator = make_operator(role=Role.SUPERVISOR)
    assert Operator.objects.get().is_staff
    operator.groups.clear()
    assert not Operator.objects.get().is_staff


def test_one_that_is_given_from_the_role_s_side_opens_it(make_operator: Callable[..., Operator]) -> None:
    operator = make_operator(role=Role.VIEWER)
    Group.objects.get(name=Role.ADMINISTRATOR).user_set.add(operator)
    assert Operator.objects.get().is_staff


def test_a_post_without_a_session_leads_back_to_its_page(client: Client) -> None:
    answer = client.post("/sync/now/", headers={"Referer": "http://testserver/sync/?tab=1"})
    assert answer["Location"] == "/accounts/login/?next=/sync/%3Ftab%3D1"
    answer = client.post("/sync/now/", headers={"Referer": "https://evil.example/sync/"})
    assert answer["Location"] == "/accounts/login/?next=/"


@pytest.mark.parametrize(
    ("wanted", "location"),
    [
        ("/calls/?q=Zoë", "/calls/?q=Zo%C3%AB"),
        ("/calls/\r\nX-Evil: 1", "/"),
        ("/calls/\n", "/"),
        ("/calls/\x00", "/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
    ],
)
def test_who_signs_in_goes_on_to_a_page_of_ours_only(
    client: Client, make_operator: Callable[..., Operator], wanted: str, location: str
) -> None:
    make_operator("ana")
    form = {"username": "ana", "password": "correct horse", "next": wanted}
    assert client.post("/accounts/login/", form)["Location"] == location


@pytest.mark.parametrize("path", ["/calls/a%00b/", "/calls/a%00b/hangup/", "/v/a%00b/", "/contacts/%00/"])
def test_no_page_has_a_nul_in_its_path(
    client: Client, make_operator: Callable[..., Operator], path: str
) -> None:
    client.force_login(make_operator(role=Role.ADMINISTRATOR))
    assert client.get(path).status_code == 404
    assert client.post(path).status_code == 404
