"""The form that places calls knows contacts: it offers them by name, and names whom it would call."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from connections_app.control.suggestions import found, recent
from connections_app.models import CallRequest, Contact, Operator
from tests.control.conftest import order

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _contacts(db: None) -> None:
    Contact.objects.create(endpoint="+14155550142", name="Lima, Ana", changed_by="ben")
    Contact.objects.create(endpoint="webrtc:kofi", name="Kofi Mensah", changed_by="ben", do_not_call=True)


def asked_for(operator: Operator, **whom: str) -> CallRequest:
    return CallRequest.objects.create(
        request_id=uuid4(),
        digest="d",
        operator=operator,
        operator_name="ana",
        deadline=timezone.now(),
        **whom,
    )


@pytest.mark.parametrize(
    ("typed", "titles"),
    [
        ("lima", ["Lima, Ana"]),
        ("(415) 555", ["Lima, Ana"]),
        ("mens", ["Kofi Mensah"]),
        ("kof", ["Kofi Mensah"]),
        ("li", []),
        ("nobody", []),
    ],
)
def test_contacts_are_found_by_any_part(typed: str, titles: list[str]) -> None:
    assert [end.title for end in found(typed)] == titles


def test_people_called_last_are_offered_by_name(operator: Operator) -> None:
    asked_for(operator, phone_number="+14155550142")
    asked_for(operator, phone_number="+14155550199")
    assert [end.title for end in recent(operator)] == ["+1 415-555-0199", "Lima, Ana"]


def test_what_is_typed_brings_contacts_to_the_fields(ana: Client) -> None:
    answer = ana.post("/calls/place/check/", order(phone_number="Lima", client_name="mensah"))
    assertContains(answer, '<option value="+1 415-555-0142">Lima, Ana</option>')
    assertContains(answer, '<option value="kofi">Kofi Mensah (do not call)</option>')
    assertContains(answer, 'hx-swap-oob="true"', 2)


def test_a_name_in_place_of_a_number_offers_the_contacts_of_that_name(ana: Client) -> None:
    answer = ana.post("/calls/place/check/", order(phone_number="Lima", routine="7"))
    assertContains(answer, 'href="/calls/place/?number=%2B14155550142&amp;routine=7"')
    assertNotContains(answer, "cannot be called")
    answer = ana.post("/calls/place/", order(phone_number="Lima"))
    assertContains(answer, "Whom do you mean?", status_code=422)
    assertContains(answer, "cannot be called", status_code=422)
    assert not CallRequest.objects.exists()


def test_the_contact_it_would_call_is_named(ana: Client) -> None:
    answer = ana.post("/calls/place/check/", order(phone_number="(415) 555-0142"))
    assertContains(answer, "Lima, Ana</span><strong>+1 415-555-0142</strong>")


def test_a_check_costs_few_queries(ana: Client, django_assert_num_queries: Any) -> None:
    # Session, person, rights (2), how fresh calls are (2); the contact of the number, calls with it, contacts
    # for what is typed, and whom one called last.
    with django_assert_num_queries(10):
        ana.post("/calls/place/check/", order(phone_number="+14155550142"))


def test_a_request_is_named(ana: Client, operator: Operator) -> None:
    request = asked_for(operator, phone_number="+14155550142")
    answer = ana.get(request.get_absolute_url())
    assertContains(answer, "Call to Lima, Ana")
    assertContains(answer, "+1 415-555-0142")
    assertNotContains(answer, "Do not call")
