"""A name needs at least one character that can be seen, wherever it is given."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from connections_app.contacts.endpoint_input import InvalidEndpoint, parse_client
from connections_app.models import Contact, InboundRule, Operator, Role, SavedView, Tag, WallLink
from connections_app.models.characters import is_seen
from connections_app.routines.forms import RoutineForm
from tests.contacts.conftest import MakeOperator, typed

pytestmark = pytest.mark.django_db

UNSEEN = ["\u200b", "\u202e\u202c", "\u3164", "\u2800", "\xad", "\ufe0f", "\u200d", "\u2060\u034f", "\u0301"]
UNSEEN += ["\U000e0041"]
SEEN = [
    "Ana",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "\U0001f469\u200d\U0001f4bb",
    "\u2764\ufe0f",
    "\u200fa",
    "-",
    "\uac00",
    "1",
]


@pytest.fixture
def admin(client: Client, make_operator: MakeOperator) -> Client:
    client.force_login(make_operator("sam", Role.ADMINISTRATOR, is_staff=True, is_superuser=True))
    return client


@pytest.mark.parametrize("name", SEEN)
def test_a_name_of_which_something_is_seen_is_taken(admin: Client, name: str) -> None:
    assert is_seen(name)
    assert admin.post("/contacts/new/", typed(name=name)).status_code == 303
    assert Contact.objects.get().name == name
    assert parse_client(name) == f"webrtc:{name}"


@pytest.mark.parametrize("name", UNSEEN)
def test_a_name_of_which_nothing_is_seen_is_refused_everywhere(admin: Client, name: str) -> None:
    assert not is_seen(name)
    assert admin.post("/contacts/new/", typed(name=name)).status_code == 422
    assert admin.post("/calls/tags/", {"name": name, "colour": "blue"}).status_code == 422
    assert admin.post("/v/", {"name": name, "query": "status=failed"}).status_code == 422
    assert not any(made.objects.exists() for made in (Contact, Tag, SavedView))
    file = SimpleUploadedFile("a.csv", f"number,name\n+14155550142,{name}\n".encode())
    plan = admin.get(admin.post("/contacts/import/", {"file": file})["Location"]).context["plan"]
    assert [bad.reason for bad in plan.bad] == ["A name needs at least one character that can be seen."]
    with pytest.raises(InvalidEndpoint):
        parse_client(name)


@pytest.mark.parametrize("name", ["\u3164", "\u200b"])
def test_the_admin_refuses_it_too(admin: Client, name: str) -> None:
    person = Operator.objects.get()
    for field in ("username", "first_name", "last_name", "client_name"):
        answer: Any = admin.post(f"/admin/connections_app/operator/{person.pk}/change/", {field: name})
        assert answer.context["adminform"].form.errors[field], field
    answer = admin.post("/admin/connections_app/walllink/add/", {"name": name})
    assert "name" in answer.context["adminform"].form.errors
    answer = admin.post("/admin/connections_app/inboundrule/add/", {"name": name})
    assert "name" in answer.context["adminform"].form.errors
    assert not WallLink.objects.exists()
    assert InboundRule.objects.count() == 1


@pytest.mark.parametrize("name", UNSEEN)
def test_a_routine_needs_a_name_that_is_seen(admin: Client, name: str) -> None:
    form = RoutineForm({"name": name, "used_by": "everyone"})
    assert "name" in form.errors
