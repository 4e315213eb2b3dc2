"""The form that places a call: what is wrong is said beside it, and nothing is written or sent."""

from typing import Any

import pytest
from django.test import Client

from connections_app.models import Action, CallRequest
from tests.control.conftest import NUMBER, SAY, order
from tests.factories import FRAME

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"phone_number": "banana"}, "it is not a phone number"),
        ({"phone_number": "+1 415"}, "it is too short"),
        ({"phone_number": "+14155550142 ext. 7"}, "extensions cannot be dialled"),
        ({"phone_number": "+999123456789"}, "no country has this code"),
        ({"phone_number": "\x00"}, "Null characters"),
        ({"phone_number": ""}, "Whom do you want to call?"),
        ({"client_name": "kofi", "phone_number": NUMBER}, "not both"),
        ({"client_name": "x" * 256}, "at most 255"),
        ({"client_name": "a\nb"}, "one line of text"),
        ({"client_name": "\u2800\u200b"}, "at least one character that can be seen"),
        ({"request_id": "seven"}, "not a UUID"),
        ({"request_id": ""}, "has no id"),
        ({"routine": "7777777"}, "There is no such routine"),
        ({"routine": "banana"}, "There is no such routine"),
        ({"commands": "["}, "not JSON"),
        ({"commands": '[{"name": "Say"}]'}, "Command 1 (Say), text: is missing."),
        ({"commands": "[" * 50_000}, "not JSON"),
        ({"commands": "x" * 70_000}, "larger than 64 KB"),
        ({"commands": SAY, "routine": "1"}, "not both"),
        ({"commands": '[{"name": "Dance"}]'}, "A supervisor may send it all the same."),
        ({"commands": '[{"name": "Dance"}]', "overrule": "on"}, "A supervisor may send it all the same."),
        ({"commands": '[{"name": "Say", "text": "{{ who }}"}]'}, "Who is missing."),
    ],
)
def test_a_form_that_is_wrong_says_why_and_sends_nothing(
    ana: Client, fields: dict[str, str], words: str
) -> None:
    answer = ana.post("/calls/place/", order(**fields))
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not CallRequest.objects.exists()
    assert not Action.objects.exists()


def test_what_was_typed_stays_in_a_form_that_is_wrong(ana: Client) -> None:
    wrong = order(phone_number="12", commands='[{"name": "Say", "text": "<b>"}]')
    content = ana.post("/calls/place/", wrong).content.decode()
    assert 'value="12"' in content
    assert "&lt;b&gt;" in content
    assert wrong["request_id"] in content


@pytest.mark.parametrize(
    ("link", "field"),
    [
        ("number=tel:%2B14155550142", 'name="phone_number" type="tel"'),
        ("number=webrtc:kofi", 'value="kofi"'),
        ("client=kofi", 'value="kofi"'),
    ],
)
def test_a_link_fills_the_form_in(ana: Client, link: str, field: str) -> None:
    assert field in ana.get(f"/calls/place/?{link}").content.decode()


def test_the_page_of_the_form_costs_few_queries(ana: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(FRAME + 2):  # recent calls, routines
        ana.get("/calls/place/")
