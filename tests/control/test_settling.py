"""What became of an unknown request: Sift's list tells where it can, else a person decides."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from connections_app.calls import request_matching
from connections_app.calls.ingest import ingest
from connections_app.calls.request_matching import bind_confirmed
from connections_app.models import Action, CallRequest, Connection, Operator, Outcome, Role, Settled, Source
from connections_app.sift.payloads import parse_rows
from tests.control.conftest import NUMBER

pytestmark = pytest.mark.django_db


def unknown(operator: Operator, **fields: Any) -> CallRequest:
    now = timezone.now()
    own = {"request_id": uuid4(), "operator": operator, "operator_name": operator.username, "deadline": now}
    whom = {} if "client_name" in fields else {"phone_number": NUMBER}
    return CallRequest.objects.create(**{**own, **whom, "outcome": Outcome.UNKNOWN, **fields})


def listed(connection_id: str, to: str = NUMBER, **fields: str) -> Connection:
    row = {"connection_id": connection_id, "status": "connecting", "to": to, "direction": "incoming"}
    ingest(parse_rows([row | fields])[0], Source.LIST)
    return Connection.objects.get(connection_id=connection_id)


def match() -> None:
    request_matching.match_by_list(request_matching.unbound(timezone.now()))


def test_the_only_call_for_the_only_request_is_it(operator: Operator) -> None:
    request = unknown(operator)
    call = listed("a1")
    match()
    request.refresh_from_db()
    assert (request.connection, request.outcome, request.settled_by) == (call, "accepted", "list")


def test_a_client_is_matched_as_well(operator: Operator) -> None:
    request = unknown(operator, client_name="kofi")
    call = listed("a1", to="webrtc:kofi")
    match()
    request.refresh_from_db()
    assert request.connection == call


@pytest.mark.parametrize(
    ("asked", "listed_as"), [("Kofi", "webrtc:kofi"), ("kofi", "webrtc:KOFI"), ("ΜΑΡΙΟΣ", "webrtc:μαριοσ")]
)
def test_a_client_is_matched_in_whatever_case(operator: Operator, asked: str, listed_as: str) -> None:
    request = unknown(operator, client_name=asked)
    call = listed("a1", to=listed_as)
    match()
    request.refresh_from_db()
    assert request.connection == call


def test_requests_to_one_client_in_different_cases_are_ambiguous(operator: Operator) -> None:
    requests = [unknown(operator, client_name=name) for name in ("Kofi", "kofi")]
    listed("a1", to="webrtc:kofi")
    match()
    assert {CallRequest.objects.get(pk=request.pk).connection for request in requests} == {None}


def test_two_calls_are_left_to_a_person(operator: Operator) -> None:
    request = unknown(operator)
    listed("a1")
    listed("a2")
    match()
    request.refresh_from_db()
    assert (request.connection, request.outcome) == (None, "unknown")


@pytest.mark.parametrize("other", ["unknown", "accepted", "sending"])
def test_two_requests_are_left_to_a_person(operator: Operator, other: str) -> None:
    request = unknown(operator)
    unknown(operator, outcome=other)
    listed("a1")
    match()
    request.refresh_from_db()
    assert request.connection is None


@pytest.mark.parametrize(
    "fields",
    [{"to": "+14155550143"}, {"start_time": "2026-01-01T00:00:00Z"}, {"direction": "outgoing"}],
    ids=str,
)
def test_another_call_is_not_it(operator: Operator, fields: dict[str, str]) -> None:
    request = unknown(operator)
    listed("a1", **fields)
    match()
    request.refresh_from_db()
    assert request.connection is None


def test_a_call_seen_before_the_request_is_not_it(operator: Operator) -> None:
    listed("a1")
    request = unknown(operator)
    match()
    request.refresh_from_db()
    assert request.connection is None


def test_a_person_says_which_it_is(ana: Client, operator: Operator) -> None:
    request = unknown(operator)
    listed("a1")
    listed("a2")
    page = ana.get(request.get_absolute_url()).content.decode()
    assert page.count("This is it") == 2
    ana.post(f"{request.get_absolute_url()}settle/", {"connection_id": "a2"})
    request.refresh_from_db()
    assert (str(request.connection), request.settled_by) == ("a2", "person")
    assert list(Action.objects.values_list("verb", "phase")) == [("settle", "intent"), ("settle", "outcome")]


def test_or_that_it_is_none(ana: Client, operator: Operator) -> None:
    request = unknown(operator)
    ana.post(f"{request.get_absolute_url()}settle/", {})
    request.refresh_from_db()
    assert request.outcome == "rejected"
    assert (
        "ana looked, and says that no call was made." in ana.get(request.get_absolute_url()).content.decode()
    )


@pytest.mark.parametrize("connection_id", ["nowhere", "other"])
def test_but_not_a_call_that_cannot_be_it(ana: Client, operator: Operator, connection_id: str) -> None:
    request = unknown(operator)
    listed("other", to="+14155550143")
    answer = ana.post(f"{request.get_absolute_url()}settle/", {"connection_id": connection_id}, follow=True)
    assert "another request&#x27;s" in answer.content.decode()
    request.refresh_from_db()
    assert (request.connection, Action.objects.count()) == (None, 0)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_others_may_not_say(client: Client, make_operator: Any, operator: Operator, role: Role) -> None:
    request = unknown(operator)
    client.force_login(make_operator("ben", role))
    assert "No call was made" not in client.get(request.get_absolute_url()).content.decode()
    assert client.post(f"{request.get_absolute_url()}settle/", {}).status_code == 403
    request.refresh_from_db()
    assert request.outcome == "unknown"


def test_what_the_list_seemed_to_say_gives_way_to_sifts_own_answer(operator: Operator) -> None:
    request, other = unknown(operator), unknown(operator, phone_number="+14155550143")
    wrong = listed("a1")
    match()
    right = listed("a2", to="+14155550143")
    match()
    assert bind_confirmed(request.pk, right.pk, Settled.ANSWER)
    request.refresh_from_db()
    other.refresh_from_db()
    assert (request.connection, request.settled_by) == (right, "answer")
    assert (other.connection, other.outcome) == (None, "unknown")
    assert bind_confirmed(other.pk, wrong.pk, Settled.ANSWER)


def test_a_settled_one_stays_settled(ana: Client, operator: Operator) -> None:
    request = unknown(operator)
    listed("a1")
    match()
    ana.post(f"{request.get_absolute_url()}settle/", {})
    request.refresh_from_db()
    assert (request.outcome, str(request.connection)) == ("accepted", "a1")
