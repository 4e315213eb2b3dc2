"""A link that fills the form in calls the number that it was made for, and its country is seen first."""

import re
from typing import Any

import pytest
from django.test import Client
from pytest_django.asserts import assertContains, assertNotContains

from connections_app.models import Contact, Operator
from tests.factories import FRAME

pytestmark = pytest.mark.django_db

TYPED = re.compile(r'id="id_phone_number"[^>]* value="([^"]*)"')


def number_in(answer: Any) -> str:
    found = TYPED.search(answer.content.decode())
    assert found is not None
    return found[1]


@pytest.mark.parametrize("country", ["US", "DE", "GB"])
@pytest.mark.parametrize("number", ["+4930123456", "tel:+4930123456", "tel:%2B4930123456", "+49+30+123456"])
def test_a_number_keeps_the_plus_that_a_query_string_loses(
    ana: Client, operator: Operator, number: str, country: str
) -> None:
    Operator.objects.filter(pk=operator.pk).update(country=country)
    answer = ana.get(f"/calls/place/?number={number}")
    assert number_in(answer) == "+4930123456"
    assertContains(answer, "<strong>+49 30 123456</strong>")
    assert re.search(r"Germany|Berlin · DE", answer.content.decode())
    assertContains(answer, "Call +49 30 123456</span>")


def test_a_number_without_a_country_is_read_before_it_is_sent(ana: Client) -> None:
    answer = ana.get("/calls/place/?number=415-555-0142")
    assert number_in(answer) == "+14155550142"
    assertContains(answer, "<strong>+1 415-555-0142</strong>")


def test_a_number_of_no_country_says_so(ana: Client) -> None:
    assertContains(ana.get("/calls/place/?number=+80012345678"), "no country's number")


def test_a_link_to_a_client_names_the_client_in_whatever_case(ana: Client) -> None:
    assertContains(ana.get("/calls/place/?number=WebRTC:kofi"), 'value="kofi"')


def test_a_link_to_what_is_marked_requires_a_tick_and_shows_no_error_yet(ana: Client) -> None:
    Contact.objects.create(endpoint="+4930123456", name="Ana", changed_by="ben", do_not_call=True)
    answer = ana.get("/calls/place/?number=+4930123456")
    assertContains(answer, "Ana is marked so")
    assertNotContains(answer, "Tick this")


@pytest.mark.parametrize("query", ["number=12", "number=%00%00%00", "number=%2500%2500abc", "client=%00abc"])
def test_a_link_that_names_nobody_opens_the_form(ana: Client, query: str) -> None:
    assertContains(ana.get(f"/calls/place/?{query}"), "Place a call")


def test_the_page_of_a_link_costs_few_queries(ana: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(FRAME + 2 + 3):  # contacts offered, the number's own, calls with it
        ana.get("/calls/place/?number=+4930123456")
