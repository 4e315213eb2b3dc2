"""A link to a number's contact leads to that number, never to a stranger's."""

import pytest
from django.test import Client
from pytest_django.asserts import assertContains, assertRedirects

from connections_app.models import Contact
from tests.contacts.conftest import made

pytestmark = pytest.mark.django_db

BERLIN = "+4930123456"
WAYS = [BERLIN, "%2B4930123456", "tel:+4930123456", "+49-30-123456", "tel:%2B4930123456"]


@pytest.mark.parametrize("written", WAYS)
def test_a_new_contact_is_of_the_number_in_the_link(olga: Client, written: str) -> None:
    answer = olga.get(f"/contacts/new/?endpoint={written}")
    assertContains(answer, f'value="{BERLIN}"')
    assertContains(answer, "<strong>+49 30 123456</strong>")
    olga.post("/contacts/new/", {"endpoint": answer.context["form"]["endpoint"].value(), "do_not_call": "on"})
    contact = Contact.objects.get()
    assert (contact.endpoint, contact.do_not_call) == (BERLIN, True)


@pytest.mark.parametrize("written", WAYS)
def test_a_number_that_has_a_contact_leads_to_it(olga: Client, written: str) -> None:
    contact = made(endpoint=BERLIN)
    assertRedirects(olga.get(f"/contacts/for/?endpoint={written}"), contact.get_absolute_url())


@pytest.mark.parametrize("written", WAYS)
def test_a_number_without_one_leads_to_the_form(olga: Client, written: str) -> None:
    answer = olga.get(f"/contacts/for/?endpoint={written}")
    assertRedirects(answer, "/contacts/new/?endpoint=%2B4930123456")


def test_a_client_is_no_number(olga: Client) -> None:
    assertContains(olga.get("/contacts/new/?endpoint=webrtc:4155550142"), 'value="webrtc:4155550142"')
