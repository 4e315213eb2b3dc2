"""A call that is asked for is placed once at the most, and what became of it is said in words."""

from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.utils import timezone

from connections_app.control.settling import expire
from connections_app.models import Action, CallRequest, Connection, Operator, Outcome, Role, Routine
from connections_app.sift.client import SiftClient
from tests.conftest import Sandbox, wait_until
from tests.control.conftest import CALL_PHONE, NUMBER, SAY, order, page

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sift's answer is waited for half a second instead of ten."""
    monkeypatch.setattr("connections_app.sift.client.POST_SECONDS", 0.5)


def test_it_is_placed_and_leads_on_to_its_call(ana: Client, sandbox: Sandbox) -> None:
    answer = ana.post("/calls/place/", order(commands=SAY))
    request = CallRequest.objects.get()
    assert request.connection is not None
    assert answer["Location"] == f"/calls/requests/{request.request_id}/"
    assert ana.get(answer["Location"])["Location"] == f"/calls/{request.connection.connection_id}/"
    (create,) = sandbox.creates()
    assert create["phone_number"] == NUMBER
    assert create["status_url"].endswith(f"/hooks/sift/status/{request.token}/")
    assert "ana asked for the call" in page(ana, answer)


def test_a_client_is_called_by_name(ana: Client, sandbox: Sandbox) -> None:
    ana.post("/calls/place/", order(client_name="webrtc:kofi"))
    assert [create["client_name"] for create in sandbox.creates()] == ["kofi"]
    assert Connection.objects.get(call_request__isnull=False).to_endpoint == "webrtc:kofi"


@pytest.mark.parametrize("typed", ["(415) 555-0142", "415.555.0142", "tel:+1-415-555-0142", " +14155550142 "])
def test_numbers_are_taken_as_people_write_them(ana: Client, sandbox: Sandbox, typed: str) -> None:
    ana.post("/calls/place/", order(phone_number=typed))
    assert [create["phone_number"] for create in sandbox.creates()] == [NUMBER]


def test_a_number_belongs_to_the_operators_own_country(
    ana: Client, operator: Operator, sandbox: Sandbox
) -> None:
    Operator.objects.filter(pk=operator.pk).update(country="DE")
    ana.post("/calls/place/", order(phone_number="030 901820"))
    assert [create["phone_number"] for create in sandbox.creates()] == ["+4930901820"]


def test_the_same_form_again_leads_to_the_same_page(ana: Client, sandbox: Sandbox) -> None:
    form = order()
    first, second = (ana.post("/calls/place/", form) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303)
    assert first["Location"] == second["Location"]
    assert len(sandbox.creates()) == 1


def test_another_form_with_its_id_is_refused(ana: Client, sandbox: Sandbox) -> None:
    form = order()
    ana.post("/calls/place/", form)
    answer = ana.post("/calls/place/", form | {"phone_number": "+14155550143"})
    assert answer.status_code == 409
    assert "Nothing was sent" in answer.content.decode()
    assert len(sandbox.creates()) == 1


def test_another_persons_id_is_refused(ana: Client, make_operator: Any, sandbox: Sandbox) -> None:
    form = order()
    ana.post("/calls/place/", form)
    ana.force_login(make_operator("ben", Role.OPERATOR))
    assert ana.post("/calls/place/", form).status_code == 409
    assert len(sandbox.creates()) == 1


LATE = {"kind": "slow_after", "seconds": 1.5}
MADE_BUT_UNCLEAR = [
    LATE,
    {"kind": "never"},
    {"kind": "cut"},
    {"kind": "status_after", "status": 500},
    {"kind": "status_after", "status": 503, "retry_after": 1},
]
NOT_CLEAR = [{"kind": "wrong_json"}, {"kind": "redirect"}, {"kind": "status", "status": 502}]


@pytest.mark.parametrize("fault", [*MADE_BUT_UNCLEAR, *NOT_CLEAR], ids=str)
def test_what_is_not_known_is_said_and_never_sent_again(
    ana: Client, sandbox: Sandbox, impatient: None, fault: dict[str, Any]
) -> None:
    sandbox.faults({"on": "create", **fault})
    form = order(commands=CALL_PHONE)
    shown = page(ana, ana.post("/calls/place/", form))
    assert "It may be ringing. Look before you call again." in shown
    assert "Nothing is sent again by itself." in shown
    assert CallRequest.objects.get().outcome == Outcome.UNKNOWN
    page(ana, ana.post("/calls/place/", form))
    assert len(sandbox.creates()) == 1


def test_an_empty_answer_means_placed(ana: Client, sandbox: Sandbox) -> None:
    sandbox.configure(create_answer="empty")
    assert "Sift took the call." in page(ana, ana.post("/calls/place/", order()))
    request = CallRequest.objects.get()
    assert (request.outcome, request.connection) == (Outcome.ACCEPTED, None)


def test_an_answer_with_the_id_alone_is_enough(ana: Client, sandbox: Sandbox) -> None:
    sandbox.configure(create_answer="id")
    assert "Connecting" in page(ana, ana.post("/calls/place/", order()))
    assert Connection.objects.get().to_endpoint == NUMBER


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (
            {"status": 400, "words": "This number is on a <blocked> list."},
            "This number is on a &lt;blocked&gt; list.",
        ),
        ({"status": 402, "words": "No credit."}, "No credit."),
        ({"status": 429, "words": "Slow down."}, "Slow down."),
    ],
)
def test_sifts_refusal_is_shown_word_for_word_with_the_form_as_it_was(
    ana: Client, sandbox: Sandbox, fault: dict[str, Any], words: str
) -> None:
    sandbox.faults({"kind": "status", "on": "create", "times": 1, **fault})
    form = order(commands=SAY)
    shown = page(ana, ana.post("/calls/place/", form))
    assert "The call was not placed." in shown
    assert words in shown
    assert f'value="{NUMBER}"' in shown
    assert "&quot;Hello&quot;" in shown
    again = shown.split("Try again", 1)[1]
    assert 'name="request_id" value="' in again
    assert f'value="{form["request_id"]}"' not in again
    page(ana, ana.post("/calls/place/", form))
    assert len(sandbox.creates()) == 1


def test_a_sift_that_cannot_be_reached_was_sent_nothing(ana: Client, sandbox: Sandbox, settings: Any) -> None:
    settings.SIFT_API_URL = "http://127.0.0.1:9/v0"
    shown = page(ana, ana.post("/calls/place/", order()))
    assert "The call was not placed." in shown
    assert "Nothing was sent." in shown


def test_a_late_answer_settles_it(ana: Client, sandbox: Sandbox, impatient: None) -> None:
    sandbox.faults({"on": "create", **LATE})
    page(ana, ana.post("/calls/place/", order()))
    assert CallRequest.objects.get().outcome == Outcome.UNKNOWN
    wait_until(lambda: CallRequest.objects.get().connection)
    request = CallRequest.objects.get()
    assert (request.outcome, request.settled_by) == (Outcome.ACCEPTED, "answer")


def test_one_that_nobody_finished_is_unknown_by_itself(ana: Client, sandbox: Sandbox) -> None:
    ana.post("/calls/place/", order())
    unfinished = {"outcome": Outcome.SENDING, "connection": None, "answered_at": None}
    CallRequest.objects.update(**unfinished)
    request = CallRequest.objects.get()
    assert "Asking Sift." in ana.get(request.get_absolute_url()).content.decode()
    expire(timezone.now())
    assert CallRequest.objects.get().outcome == Outcome.SENDING
    CallRequest.objects.update(deadline=timezone.now())
    assert "It may be ringing." in ana.get(request.get_absolute_url()).content.decode()
    expire(timezone.now())
    assert CallRequest.objects.get().outcome == Outcome.UNKNOWN
    assert Action.objects.last().outcome.startswith("Unknown: The dashboard was stopped")  # type: ignore[union-attr]


def test_no_database_connection_is_held_while_sift_is_waited_for(
    ana: Client, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = []
    ask = SiftClient.place

    def watched(*arguments: Any) -> Any:
        held.append(database.connection is not None)
        return ask(*arguments)

    monkeypatch.setattr(SiftClient, "place", watched)
    ana.post("/calls/place/", order())
    assert held == [False]


def test_every_call_has_its_record_of_intent_and_outcome(ana: Client, sandbox: Sandbox) -> None:
    form = order(commands='[{"name": "GetDigits", "count": 1}]')
    ana.post("/calls/place/", form)
    intent, outcome = Action.objects.order_by("id")
    connection = Connection.objects.get(call_request__isnull=False)
    assert (intent.actor, intent.verb, intent.phase, intent.address) == (
        "ana",
        "place",
        "intent",
        "127.0.0.1",
    )
    assert intent.payload["phone_number"] == NUMBER
    assert intent.subject == outcome.subject == form["request_id"]
    assert (outcome.phase, outcome.outcome, outcome.connection_id) == (
        "outcome",
        "Placed",
        connection.connection_id,
    )
    assert "/hooks/sift/done/…/" in str(intent.payload)


def test_the_form_has_a_field_for_each_value_that_a_saved_routine_needs(
    ana: Client, sandbox: Sandbox
) -> None:
    reminder = Routine.objects.get(name="Appointment reminder")
    form = order(routine=str(reminder.pk))
    answer = ana.post("/calls/place/", form)
    assert answer.status_code == 422
    assert 'name="fill-customer"' in answer.content.decode()
    assert sandbox.creates() == []
    page(ana, ana.post("/calls/place/", form | {"fill-customer": "Kofi", "fill-day": "Monday"}))
    script = CallRequest.objects.get().script
    assert script is not None
    assert script.commands[0]["text"] == "Hello Kofi. This is a reminder of your appointment on Monday."
    assert script.version == reminder.published


def test_the_form_says_what_it_would_do_and_sends_nothing(ana: Client, sandbox: Sandbox) -> None:
    answer = ana.post("/calls/place/check/", order(phone_number="415 555 0142", commands=SAY))
    content = answer.content.decode()
    assert "+1 415-555-0142" in content
    assert "Says “Hello”." in content
    assert (sandbox.creates(), CallRequest.objects.count()) == ([], 0)
