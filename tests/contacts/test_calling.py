"""Nobody who asked not to be called is called by mistake."""

from typing import Any

import pytest
from django.test import Client
from pytest_django.asserts import assertContains, assertNotContains

from connections_app.control.forms import PlaceForm
from connections_app.models import CallRequest, Operator
from tests.contacts.conftest import ANA, made
from tests.control.conftest import order

pytestmark = pytest.mark.django_db


def test_the_form_warns_and_requires_a_tick(olga: Client) -> None:
    made(do_not_call=True)
    answer = olga.post("/calls/place/check/", order(phone_number="(415) 555-0142"))
    assertContains(answer, "Ana Lima is marked so")
    assertContains(answer, f'name="although_marked" value="{ANA}"')
    assertNotContains(answer, "checked>")


@pytest.mark.parametrize("tick", [{}, {"although_marked": "on"}, {"although_marked": "+14155550199"}])
def test_without_the_tick_for_this_number_nobody_is_called(olga: Client, tick: dict[str, Any]) -> None:
    made(do_not_call=True)
    answer = olga.post("/calls/place/", order(phone_number=ANA, **tick))
    assertContains(answer, "Tick this to call although marked.", status_code=422)
    assert not CallRequest.objects.exists()


def test_a_client_is_marked_whatever_its_capitals(olga: Client) -> None:
    made("Kofi", "webrtc:Kofi", do_not_call=True)
    answer = olga.post("/calls/place/", order(client_name="kofi"))
    assertContains(answer, "Call although marked", status_code=422)


def test_with_the_tick_the_form_is_right(operator: Operator) -> None:
    made(do_not_call=True)
    assert PlaceForm(order(phone_number=ANA, although_marked=ANA), operator).is_valid()


def test_who_is_not_marked_is_called_as_ever(operator: Operator) -> None:
    made()
    form = PlaceForm(order(phone_number=ANA), operator)
    assert form.is_valid()
    assert form.marked is None
