"""A number that is ringing or in a call already is not dialled again by mistake: the form asks first."""

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection as database
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from connections_app.calls import dialling
from connections_app.calls.dialling import NotDialled
from connections_app.calls.ingest import doubt, ingest
from connections_app.control import placing
from connections_app.control.placing import Order
from connections_app.control.requests import SiftRequest
from connections_app.models import Action, CallRequest, Connection, Doubt, Operator, Outcome, Role, Source
from connections_app.sift.payloads import parse_rows
from tests.conftest import Sandbox
from tests.control.conftest import CALL_PHONE, NUMBER, order, page

pytestmark = pytest.mark.django_db
over_http = pytest.mark.django_db(transaction=True, serialized_rollback=True)

SAYS = "Already on a call with this number, since "
ASKS = "Tick this to call again."
CLIENT_CALL = {"to": "webrtc:Kofi", "direction": "incoming"}


def known(**fields: Any) -> Connection:
    """A call that Sift's list has told of, in progress and with the number unless said otherwise."""
    at = (timezone.now() - timedelta(seconds=41)).isoformat()
    row = {
        "connection_id": "c1",
        "status": "connected",
        "to": NUMBER,
        "direction": "incoming",
        "start_time": at,
    }
    ingest(parse_rows([row | fields])[0], Source.LIST)
    return Connection.objects.get(connection_id=(row | fields)["connection_id"])


def requested(operator: Operator | None = None, **fields: Any) -> CallRequest:
    given = {
        "request_id": uuid4(),
        "phone_number": NUMBER,
        "operator": operator,
        "operator_name": "ben",
        "deadline": timezone.now() + timedelta(seconds=30),
        "outcome": Outcome.SENDING,
    }
    return CallRequest.objects.create(**(given | fields))


def words(answer: Any) -> str:
    """What an answer says, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", "", answer.content.decode()).split())


def test_the_form_says_since_when_and_who_placed_it_and_leads_there(
    ana: Client, make_operator: Callable[..., Operator]
) -> None:
    call = known()
    requested(make_operator("ben", Role.OPERATOR), connection=call, outcome=Outcome.ACCEPTED)
    answer = ana.post("/calls/place/check/", order(phone_number="(415) 555-0142"))
    assert re.search(rf"{SAYS}00:4\d, by ben\.", words(answer))
    assertContains(answer, 'href="/calls/c1/"')
    assertContains(answer, f'name="although_busy" value="{NUMBER}"')
    assertNotContains(answer, ASKS)
    assert SAYS in words(ana.get(f"/calls/place/?number={NUMBER}"))


def test_it_is_not_placed_without_the_tick_for_this_number(ana: Client) -> None:
    known()
    for tick in ({}, {"although_busy": "+14155550199"}, {"although_busy": "on"}, {"although_marked": NUMBER}):
        answer = ana.post("/calls/place/", order(**tick))
        assert answer.status_code == 422
        assert SAYS in words(answer)
        assert ASKS in words(answer)
    assert not CallRequest.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "connecting"},
        {"to": "+14155550100", "from": NUMBER, "direction": "outgoing"},
        {"to": "+14155550100", "from": NUMBER, "direction": None},
        {"to": NUMBER, "from": "+14155550100", "direction": None},
    ],
    ids=str,
)
def test_a_call_counts_while_it_rings_whoever_called_and_where_sift_does_not_say(
    ana: Client, fields: dict[str, Any]
) -> None:
    known(**fields)
    assert SAYS in words(ana.post("/calls/place/check/", order()))


def test_a_call_that_sift_may_not_know_any_more_counts_until_it_is_lost(ana: Client) -> None:
    call = known()
    doubt(call, Doubt.UNCONFIRMED, Source.RETRIEVE)
    assert SAYS in words(ana.post("/calls/place/check/", order()))
    doubt(call, Doubt.LOST, Source.RETRIEVE)
    assert SAYS not in words(ana.post("/calls/place/check/", order()))


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "finished"},
        {"status": "failed"},
        {"to": "+14155550199"},
        {"to": "+14155550199", "from": NUMBER},  # The number that Sift calls from.
    ],
    ids=str,
)
def test_other_calls_do_not_count(ana: Client, fields: dict[str, Any]) -> None:
    known(**fields)
    assert SAYS not in words(ana.post("/calls/place/check/", order()))


def test_a_client_is_found_whatever_its_capitals(ana: Client) -> None:
    known(**CLIENT_CALL)
    answer = ana.post("/calls/place/", order(client_name="kofi"))
    assert answer.status_code == 422
    assert "Already on a call with this client, since " in words(answer)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, SAYS),
        ({"outcome": Outcome.ACCEPTED}, SAYS),
        ({"outcome": Outcome.UNKNOWN}, "There may be a call already with this number, since "),
        ({"phone_number": "", "client_name": "Kofi"}, "Already on a call with this client, since "),
    ],
    ids=str,
)
def test_a_request_counts_until_it_is_known_which_call_it_became(
    ana: Client, fields: dict[str, Any], says: str
) -> None:
    request = requested(**fields)
    whom = {"client_name": "kofi"} if request.client_name else {}
    answer = ana.post("/calls/place/", order(**whom))
    assert answer.status_code == 422
    assert says in words(answer)
    assertContains(answer, f'href="{request.get_absolute_url()}"', status_code=422)


@pytest.mark.parametrize(
    "fields",
    [
        {"outcome": Outcome.REJECTED},
        {"outcome": Outcome.UNKNOWN, "days": 2},
        {"phone_number": "+14155550199"},
    ],
    ids=str,
)
def test_other_requests_do_not_count(ana: Client, fields: dict[str, Any]) -> None:
    asked_at = timezone.now() - timedelta(days=fields.pop("days", 0))
    requested(asked_at=asked_at, **fields)
    answer = ana.post("/calls/place/check/", order())
    assertNotContains(answer, "although_busy")


def test_a_number_that_a_routine_dials_needs_confirmation_too(ana: Client, operator: Operator) -> None:
    operator.client_name = "ana"
    operator.save()
    known(to="+14155550199")
    known(connection_id="c2", to="webrtc:ana")
    says = "Already on a call with +1 415-555-0199, since "
    answer = ana.post("/calls/c2/routine/", {"request_id": str(uuid4()), "commands": CALL_PHONE})
    assert answer.status_code == 422
    assert says in words(answer)
    answer = ana.post("/calls/place/", order(client_name="kofi", commands=CALL_PHONE))
    assert answer.status_code == 422
    assert says in words(answer)


@over_http
def test_with_the_tick_it_is_placed_on_record_and_the_same_form_is_the_same_request(
    ana: Client, quick_sandbox: Sandbox
) -> None:
    page(ana, ana.post("/calls/place/", order()))
    form = order()
    assert ana.post("/calls/place/", form).status_code == 422
    assert len(quick_sandbox.creates()) == 1
    first = ana.post("/calls/place/", form | {"although_busy": NUMBER})
    again = ana.post("/calls/place/", form)
    assert first.status_code == again.status_code == 303
    assert first["Location"] == again["Location"]
    assert len(quick_sandbox.creates()) == 2
    assert Action.objects.filter(phase="intent").latest("pk").payload["although_busy"] == [NUMBER]


@over_http
def test_of_two_people_who_call_at_once_the_second_must_confirm(
    operator: Operator, make_operator: Callable[..., Operator], quick_sandbox: Sandbox
) -> None:
    people = [operator, make_operator("ben", Role.OPERATOR)]
    start = threading.Barrier(len(people))

    def place(person: Operator) -> str:
        start.wait()
        try:
            placing.place(Order(phone_number=NUMBER), SiftRequest(person, uuid4(), {}))
        except NotDialled:
            return "asked"
        finally:
            database.close()
        return "placed"

    with ThreadPoolExecutor(len(people)) as threads:
        assert sorted(threads.map(place, people)) == ["asked", "placed"]
    assert len(quick_sandbox.creates()) == 1


def test_a_request_does_not_stand_in_its_own_way(operator: Operator) -> None:
    """Of two clicks at once, the second may come to the check when the first is a call already."""
    own, other = requested(operator, connection=known()), requested(operator, phone_number="+14155550177")
    dialling.check([NUMBER], besides=own.request_id)
    with pytest.raises(NotDialled):
        dialling.check([NUMBER], besides=other.request_id)
