"""A user name belongs to one person for ever, so that whoever is on record stays who they were."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.test import Client
from pytest_django.asserts import assertContains, assertNotContains

from connections_app.audit.log import record
from connections_app.models import Action, Operator, Role, UserName, Verb

pytestmark = pytest.mark.django_db

PEOPLE = "/admin/connections_app/operator/"
ACTIONS = "/admin/connections_app/action/"


@pytest.fixture
def renamed(make_operator: Callable[..., Operator]) -> Operator:
    """Ben, who hung up, and is called Benjamin now."""
    ben = make_operator("ben")
    record(Verb.HANG_UP, Action.Phase.INTENT, ben, subject="what ben did")
    ben.username = "benjamin"
    ben.save()
    return ben


def test_the_record_of_a_renamed_person_is_found_by_either_name(admin: Client, renamed: Operator) -> None:
    for query in ("q=ben", "q=benjamin", f"person={renamed.pk}"):
        assertContains(admin.get(f"{ACTIONS}?{query}"), "what ben did")
    assertNotContains(admin.get(f"{ACTIONS}?q=root"), "what ben did")


def test_a_renamed_person_is_not_deleted(admin: Client, renamed: Operator) -> None:
    answer = admin.post(f"{PEOPLE}{renamed.pk}/delete/", {"post": "yes"}, follow=True)
    assertContains(answer, "this person cannot be deleted")
    assert Operator.objects.filter(pk=renamed.pk).exists()


def test_nobody_else_is_given_the_name(admin: Client, renamed: Operator) -> None:
    group = Group.objects.get(name=Role.OPERATOR)
    password = "correct horse battery"
    form = {"username": "ben", "usable_password": "true", "password1": password, "password2": password}
    answer = admin.post(f"{PEOPLE}add/", form | {"groups": [group.pk]})
    assertContains(answer, "This name was another person’s, whose deeds are on record under it.", html=False)
    other = Operator.objects.create_user("anders")
    answer = admin.post(
        f"{PEOPLE}{other.pk}/change/", {"username": "ben", "time_zone": "UTC", "theme": "dark"}
    )
    assertContains(answer, "This name was another person’s")
    for take in (
        lambda: Operator.objects.create_user("ben"),
        lambda: Operator.objects.filter(pk=other.pk).update(username="ben"),
    ):
        with pytest.raises(IntegrityError, match="another person's"), transaction.atomic():
            take()
    assert not Operator.objects.filter(username="ben").exists()


def test_its_owner_may_take_it_back(renamed: Operator) -> None:
    renamed.username = "ben"
    renamed.full_clean()
    renamed.save()
    assert set(UserName.objects.values_list("name", "operator_id")) >= {
        ("ben", renamed.pk),
        ("benjamin", renamed.pk),
    }


def test_the_name_of_somebody_who_was_deleted_stays_taken(make_operator: Callable[..., Operator]) -> None:
    make_operator("carl").delete()
    with pytest.raises(IntegrityError, match="another person's"), transaction.atomic():
        Operator.objects.create_user("carl")
