"""The four roles are groups, each with what the one below it may do."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.asserts import assertContains, assertNotContains

from connections_app.models import Operator, Role
from tests.factories import seen

pytestmark = pytest.mark.django_db


def allowed(role: Role) -> set[str]:
    return set(Permission.objects.filter(group__name=role).values_list("codename", flat=True))


def test_each_role_may_what_the_one_below_it_may() -> None:
    assert set(Group.objects.values_list("name", flat=True)) == set(Role.values)
    viewer, operator, supervisor, administrator = map(allowed, Role)
    assert viewer <= operator < supervisor < administrator
    assert "run_sync" in supervisor - operator
    assert "change_operator" in administrator - supervisor


def test_an_administrator_creates_and_deactivates_an_operator(admin: Client) -> None:
    group = Group.objects.get(name=Role.OPERATOR)
    answer = admin.post(
        "/admin/connections_app/operator/add/",
        {
            "username": "ana",
            "usable_password": "true",
            "password1": "correct horse battery",
            "password2": "correct horse battery",
            "groups": group.pk,
            "client_name": "ana",
        },
    )
    assert answer.status_code == 302
    ana = Operator.objects.get(username="ana")
    assert (ana.client_name, list(ana.groups.all()), ana.is_staff) == ("ana", [group], False)
    assert admin.get(f"/admin/connections_app/operator/{ana.pk}/change/").status_code == 200


def test_whoever_is_on_record_is_deactivated_and_not_deleted(
    admin: Client, make_operator: Callable[..., Operator]
) -> None:
    ana = make_operator("ana", client_name="ana")
    seen(*({"connection_id": f"a{n}", "from": "webrtc:ana"} for n in range(30)))
    address = f"/admin/connections_app/operator/{ana.pk}/delete/"
    with CaptureQueriesContext(database) as queries:
        assert admin.post(address, {"post": "yes"}).status_code == 302
    assert not [one["sql"] for one in queries if one["sql"].startswith(("UPDATE", "DELETE"))]
    assertContains(admin.get(address, follow=True), "Calls, notes or actions of ana are on record")
    assert Operator.objects.filter(pk=ana.pk).exists()
    assert ana.calls.count() == 30


def test_whoever_did_nothing_yet_can_be_deleted(
    admin: Client, make_operator: Callable[..., Operator]
) -> None:
    ben = make_operator("ben")
    address = f"/admin/connections_app/operator/{ben.pk}/delete/"
    assertContains(admin.get(address), "Are you sure")
    assert admin.post(address, {"post": "yes"}).status_code == 302
    assert not Operator.objects.filter(pk=ben.pk).exists()


def test_nobody_is_deleted_by_the_dozen(admin: Client, make_operator: Callable[..., Operator]) -> None:
    ben = make_operator("ben")
    form = {"action": "delete_selected", "_selected_action": ben.pk, "post": "yes"}
    admin.post("/admin/connections_app/operator/", form)
    assert Operator.objects.filter(pk=ben.pk).exists()


def test_calls_are_read_only_in_the_admin(admin: Client) -> None:
    seen({"connection_id": "a1", "to": "+14155550142"})
    assert b"a1" in admin.get("/admin/connections_app/connection/?q=0142").content
    change = admin.get("/admin/connections_app/connection/")
    assert change.status_code == 200
    assert admin.get("/admin/connections_app/connection/add/").status_code == 403
    address = f"/admin/connections_app/connection/{change.context['cl'].result_list[0].pk}/change/"
    assert admin.get(address).status_code == 200
    assert admin.post(address, {"status": "failed"}).status_code == 403


def test_a_person_without_a_role_is_pointed_out(admin: Client) -> None:
    password = "correct horse battery"
    form = {"username": "ben", "usable_password": "true", "password1": password, "password2": password}
    says = "The operator “ben” has no role yet, and can do nothing."
    assertContains(admin.post("/admin/connections_app/operator/add/", form, follow=True), says)
    form |= {"username": "carl", "groups": Group.objects.get(name=Role.VIEWER).pk}
    assertNotContains(
        admin.post("/admin/connections_app/operator/add/", form, follow=True), "has no role yet"
    )
