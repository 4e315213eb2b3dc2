"""Whatever a request would dial is checked, not only whom it calls: the form asks before."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from connections_app.calls import scripts
from connections_app.calls.dialling import Confirmed, NotDialled, endpoints_in
from connections_app.calls.ingest import ingest
from connections_app.control import placing, steering, watching
from connections_app.control.placing import Order
from connections_app.control.requests import SiftRequest
from connections_app.models import (
    Action,
    CallRequest,
    Connection,
    Contact,
    Operator,
    Origin,
    Outcome,
    Push,
    Routine,
    Script,
    Source,
)
from connections_app.sift.client import SiftClient
from connections_app.sift.payloads import parse_rows
from tests.conftest import Sandbox
from tests.control.conftest import CALL_PHONE, order, page
from tests.hooks.conftest import saved

MARKED = "+14155550199"
ASKS = "Tick this to call although marked."
Commands = list[dict[str, Any]]

pytestmark = pytest.mark.django_db
over_http = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture(autouse=True)
def _marked(db: None) -> None:
    for endpoint in (MARKED, "webrtc:Kofi"):
        Contact.objects.create(endpoint=endpoint, name="Kofi Mensah", changed_by="ben", do_not_call=True)


@pytest.fixture
def live(operator: Operator) -> Connection:
    """A live call with ana's own browser client."""
    operator.client_name = "ana"
    operator.save()
    row = {"connection_id": "c1", "status": "connected", "to": "webrtc:ana", "direction": "incoming"}
    ingest(parse_rows([row])[0], Source.LIST)
    return Connection.objects.get()


def then(routine: Routine) -> Commands:
    """A question that goes on with `routine`."""
    return [{"name": "GetDigits", "count": 1, "then": {"1": routine.pk}}]


def direct() -> dict[str, str]:
    return {"commands": CALL_PHONE}


def client_in_capitals() -> dict[str, str]:
    return {"commands": '[{"name": "CallClient", "client_name": "webrtc:KOFI"}]'}


def saved_one() -> dict[str, str]:
    return {"routine": str(saved("Connect", json.loads(CALL_PHONE)).pk)}


def filled_in() -> dict[str, str]:
    commands = '[{"name": "CallPhone", "phone_number": "{{ whom|phone }}"}]'
    return {"commands": commands, "fill-whom": "(415) 555-0199"}


def what_follows() -> dict[str, str]:
    last = saved("Last", json.loads(CALL_PHONE))
    between = saved("Between", then(last))
    return {"routine": str(saved("First", then(between)).pk)}


def filled_in_later() -> dict[str, str]:
    last = saved("Last", [{"name": "CallPhone", "phone_number": "{{ whom }}"}])
    return {"commands": json.dumps(then(last)), "fill-whom": MARKED}


WAYS = [direct, client_in_capitals, saved_one, filled_in, what_follows, filled_in_later]


@pytest.mark.parametrize("way", WAYS)
def test_placing_a_call_to_ones_own_client_needs_confirmation_of_what_the_routine_dials(
    ana: Client, way: Callable[[], dict[str, str]]
) -> None:
    answer = ana.post("/calls/place/", order(client_name="ana", **way()))
    assertContains(answer, ASKS, status_code=422)
    assertContains(answer, "Kofi Mensah is marked so.", status_code=422)
    assert not CallRequest.objects.exists()


@pytest.mark.parametrize("way", WAYS)
def test_sending_a_routine_to_a_live_call_needs_confirmation_of_what_it_dials(
    ana: Client, live: Connection, way: Callable[[], dict[str, str]]
) -> None:
    form = {"request_id": str(uuid4())} | way()
    answer = ana.post("/calls/c1/routine/", form)
    assertContains(answer, ASKS, status_code=422)
    assert not Push.objects.exists()
    check = ana.post("/calls/c1/routine/check/", form)
    assertContains(check, "Kofi Mensah is marked so.")
    assertNotContains(check, ASKS)


def test_a_command_that_is_not_known_is_searched_for_numbers(
    client: Client, make_operator: Callable[..., Operator]
) -> None:
    client.force_login(make_operator("sam", "Supervisor"))
    dance = '[{"name": "Dance", "with": ["(415) 555-0199"]}]'
    answer = client.post("/calls/place/", order(client_name="sam", commands=dance, overrule="on"))
    assertContains(answer, ASKS, status_code=422)


def test_a_tick_is_for_nobody_else(ana: Client) -> None:
    both = json.dumps([*json.loads(CALL_PHONE), {"name": "CallClient", "client_name": "kofi"}])
    answer = ana.post("/calls/place/", order(client_name="ana", commands=both, although_marked=MARKED))
    assertContains(answer, ASKS, 1, status_code=422)
    assertContains(answer, f'value="{MARKED}" checked', status_code=422)


@over_http
def test_with_a_tick_for_each_it_is_placed_on_record(ana: Client, sandbox: Sandbox) -> None:
    both = json.dumps([*json.loads(CALL_PHONE), {"name": "CallClient", "client_name": "kofi"}])
    form: dict[str, Any] = order(client_name="ana", commands=both)
    form["although_marked"] = [MARKED, "webrtc:kofi"]
    assert ana.post("/calls/place/", form).status_code == 303
    assert [create["client_name"] for create in sandbox.creates()] == ["ana"]
    intent = Action.objects.get(phase="intent")
    assert intent.payload["although_marked"] == [MARKED, "webrtc:kofi"]
    assert Script.objects.get().confirmed == [MARKED, "webrtc:kofi"]


@over_http
def test_a_routine_is_sent_with_the_tick(ana: Client, quick_sandbox: Sandbox, operator: Operator) -> None:
    Operator.objects.filter(pk=operator.pk).update(client_name="ana")
    page(ana, ana.post("/calls/place/", order(client_name="ana")))
    call = Connection.objects.get()
    form = {"request_id": str(uuid4()), "commands": CALL_PHONE}
    assert ana.post(f"/calls/{call}/routine/", form).status_code == 422
    assert quick_sandbox.routines_set(call.connection_id) == []
    assert ana.post(f"/calls/{call}/routine/", form | {"although_marked": MARKED}).status_code == 303
    (sent,) = quick_sandbox.routines_set(call.connection_id)
    assert "CallPhone" in str(sent)


@pytest.mark.parametrize("confirmed", [(), ("+14155550198",)])
def test_what_does_not_come_through_a_form_is_checked_too(
    operator: Operator, live: Connection, confirmed: tuple[str, ...]
) -> None:
    asked = SiftRequest(operator, uuid4(), {}, confirmed=Confirmed(marked=confirmed))
    script = scripts.given_commands(CALL_PHONE, {}, operator)
    for act in (
        lambda: placing.place(Order(client_name="ana", script=script), asked),
        lambda: placing.place(Order(phone_number=MARKED), asked),
        lambda: placing.place(Order(client_name="KOFI"), asked),
        lambda: steering.push_routine(Connection.objects.get(), script, asked),
    ):
        with pytest.raises(NotDialled, match="is marked “do not call”"):
            act()
    assert (CallRequest.objects.count(), Push.objects.count(), Script.objects.count()) == (0, 0, 0)
    assert not Action.objects.exists()


@over_http
def test_the_dashboard_sets_no_script_that_dials_what_was_marked_since(
    ana: Client, operator: Operator, sandbox: Sandbox
) -> None:
    call = ingest_connected(sandbox)
    wanted = scripts.given_commands('[{"name": "CallPhone", "phone_number": "+14155550123"}]', {}, operator)
    made = scripts.make(wanted, Origin.PLACED)
    assert made is not None
    CallRequest.objects.create(
        request_id=uuid4(),
        phone_number="+14155550142",
        operator=operator,
        operator_name="ana",
        deadline=timezone.now(),
        outcome=Outcome.ACCEPTED,
        settled_by="answer",
        answered_at=timezone.now(),
        script_id=made.pk,
        connection=call,
    )
    Contact.objects.create(endpoint="+14155550123", changed_by="ben", do_not_call=True)
    client = SiftClient.configured()
    watching.set_scripts(client)
    watching.set_scripts(client)
    assert sandbox.routines_set(call.connection_id) == []
    words = "The routine was not given to Sift: +14155550123 is marked “do not call”."
    assert [(row.verb, row.actor, row.outcome) for row in Action.objects.all()] == [
        ("not_dialled", "", words)
    ]
    script = Script.objects.get()
    assert (script.offered_at, script.settled_at is None) == (None, False)
    shown = ana.get(call.get_absolute_url())
    assertContains(shown, words)
    assertNotContains(shown, "Sift refused it")


def ingest_connected(sandbox: Sandbox) -> Connection:
    rows = sandbox.add({"status": "connected", "to": "+14155550142", "direction": "incoming"})
    ingest(parse_rows(rows)[0], Source.LIST)
    return Connection.objects.get(connection_id=rows[0]["connection_id"])


def test_every_way_to_write_what_is_dialled_is_read() -> None:
    commands: Commands = [
        {"name": "Say", "text": "Call +14155550100"},
        {"name": "JoinConference", "conference_name": "+14155550101"},
        {"name": "CallPhone", "phone_number": "+14155550102"},
        {"name": "CallClient", "client_name": " WebRTC: ana "},
        {"name": "Transfer", "to": {"number": "tel:+1-415-555-0103"}, "client_name": "ben"},
        {"name": "Transfer", "to": ["webrtc:kofi", "+14155550102", 7, None, "nobody"]},
    ]
    assert endpoints_in(commands) == (
        "+14155550102",
        "webrtc:ana",
        "+14155550103",
        "webrtc:ben",
        "webrtc:kofi",
    )
