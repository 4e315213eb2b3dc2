"""Hanging up and sending routines: once, by who may, and as Sift says."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from connections_app.calls.ingest import ingest
from connections_app.control.watching import watch
from connections_app.models import Action, Connection, Doubt, Operator, Outcome, Push, Role, Source, Status
from connections_app.sift.client import SiftClient
from connections_app.sift.payloads import parse_rows
from tests.conftest import Sandbox
from tests.control.conftest import SAY, order, page

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

HANG_UP = {"routine": [{"name": "HangUp"}]}


@pytest.fixture
def theirs(sandbox: Sandbox) -> Connection:
    """A live call that nobody here placed."""
    sandbox.configure(after_routine="stay", idle_seconds=60)
    rows = sandbox.add({"status": "connected", "from": "+14155550123", "to": "webrtc:kofi"})
    ingest(parse_rows(rows)[0], Source.LIST)
    return Connection.objects.get(connection_id=rows[0]["connection_id"])


@pytest.fixture
def own(ana: Client, quick_sandbox: Sandbox) -> Connection:
    """A live call that ana placed."""
    ana.post("/calls/place/", order())
    return Connection.objects.get(call_request__isnull=False)


def routine(**fields: str) -> dict[str, str]:
    return {"request_id": str(uuid4()), "commands": SAY} | fields


def test_an_own_call_is_hung_up(ana: Client, own: Connection, sandbox: Sandbox) -> None:
    shown = page(ana, ana.post(f"/calls/{own.connection_id}/hangup/"))
    assert "Hanging up…" in shown
    assert sandbox.routines_set(own.connection_id) == [HANG_UP]
    watch(SiftClient.configured())
    own.refresh_from_db()
    assert own.status == "finished"
    assert "Hanging up…" not in ana.get(own.get_absolute_url()).content.decode()


def test_htmx_gets_the_controls_alone(ana: Client, own: Connection) -> None:
    answer = ana.post(f"/calls/{own.connection_id}/hangup/", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert answer.content.decode().strip().startswith('<div class="controls"')


def test_without_scripts_there_is_a_question_first(ana: Client, own: Connection, sandbox: Sandbox) -> None:
    assert b"Hang up +1 415-555-0142?" in ana.get(f"/calls/{own.connection_id}/hangup/").content
    assert sandbox.routines_set(own.connection_id) == []


def test_one_that_has_ended_is_as_good_as_hung_up(ana: Client, own: Connection, sandbox: Sandbox) -> None:
    sandbox.change(own.connection_id, status="finished")
    ana.post(f"/calls/{own.connection_id}/hangup/")
    push = Push.objects.get()
    assert (push.outcome, push.reason) == (Outcome.ACCEPTED, "It had ended already.")
    own.refresh_from_db()
    assert own.status == "finished"
    sent = len(sandbox.log())
    ana.post(f"/calls/{own.connection_id}/hangup/")
    assert len(sandbox.log()) == sent
    assert set(Push.objects.values_list("outcome", flat=True)) == {Outcome.ACCEPTED}


def test_a_routine_for_one_that_has_ended_is_refused_and_says_so(
    ana: Client, own: Connection, sandbox: Sandbox
) -> None:
    ingest(parse_rows([{"connection_id": own.connection_id, "status": "finished"}])[0], Source.LIST)
    shown = page(ana, ana.post(f"/calls/{own.connection_id}/routine/", routine()))
    assert "The routine was refused: The call has ended." in shown
    assert sandbox.routines_set(own.connection_id) == []


def test_a_refused_hang_up_says_sifts_words_and_can_be_sent_again(
    ana: Client, own: Connection, sandbox: Sandbox
) -> None:
    sandbox.faults({"kind": "status", "on": "routine", "status": 409, "words": "Not <now>."})
    shown = page(ana, ana.post(f"/calls/{own.connection_id}/hangup/"))
    assert "The hang-up was refused: Not &lt;now&gt;." in shown
    assert "data-arm" in shown


def test_an_unknown_outcome_is_said(
    ana: Client, own: Connection, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connections_app.sift.client.POST_SECONDS", 0.3)
    sandbox.faults({"kind": "slow_after", "on": "routine", "seconds": 5})
    form = routine()
    shown = page(ana, ana.post(f"/calls/{own.connection_id}/routine/", form))
    assert "The routine may or may not have reached Sift." in shown
    page(ana, ana.post(f"/calls/{own.connection_id}/routine/", form))
    assert len(sandbox.routines_set(own.connection_id)) == 1


def test_a_routine_is_sent_once_however_often_its_form_comes(
    ana: Client, own: Connection, sandbox: Sandbox
) -> None:
    form = routine()
    for _ in range(3):
        assert ana.post(f"/calls/{own.connection_id}/routine/", form)["Location"] == own.get_absolute_url()
    assert sandbox.routines_set(own.connection_id) == [{"routine": [{"name": "Say", "text": "Hello"}]}]
    other = form | {"commands": '[{"name": "HangUp"}]'}
    assert ana.post(f"/calls/{own.connection_id}/routine/", other).status_code == 409


@pytest.mark.parametrize("doubt", [Doubt.UNCONFIRMED, Doubt.LOST])
def test_a_call_that_sift_did_not_confirm_is_hung_up_by_asking_sift(
    ana: Client, own: Connection, sandbox: Sandbox, doubt: Doubt
) -> None:
    Connection.objects.update(doubt=doubt)
    ana.post(f"/calls/{own.connection_id}/hangup/", {"request_id": str(uuid4())})
    assert sandbox.routines_set(own.connection_id) == [{"routine": [{"name": "HangUp"}]}]
    assert Push.objects.get().outcome == Outcome.ACCEPTED


@pytest.mark.parametrize("doubt", [Doubt.UNCONFIRMED, Doubt.LOST])
def test_a_call_that_sift_does_not_know_is_not_said_to_have_ended(
    ana: Client, own: Connection, sandbox: Sandbox, doubt: Doubt
) -> None:
    Connection.objects.update(doubt=doubt)
    sandbox.forget(own.connection_id)
    ana.post(f"/calls/{own.connection_id}/hangup/", {"request_id": str(uuid4())})
    push = Push.objects.get()
    assert (push.outcome, "ended" in push.reason) == (Outcome.REJECTED, False)


def test_sending_says_what_it_stops(ana: Client, own: Connection) -> None:
    ana.post(f"/calls/{own.connection_id}/routine/", routine())
    content = ana.get(f"/calls/{own.connection_id}/routine/").content.decode()
    ringing = (
        "This replaces what the call was given before: <strong>Says “Hello”.</strong> (starts when answered)"
    )
    assert ringing in content
    Connection.objects.update(status=Status.CONNECTED)
    content = ana.get(f"/calls/{own.connection_id}/routine/").content.decode()
    assert "This stops what runs now: <strong>Says “Hello”.</strong>" in content


@pytest.mark.parametrize(
    ("sent", "errors"),
    [
        ({"commands": ""}, {"routine": ["Choose a routine, or write commands."]}),
        ({"commands": "", "routine": "x"}, {"routine": ["There is no such routine."]}),
        ({"routine": "1"}, {"commands": ["Choose a routine, or write commands, not both."]}),
    ],
)
def test_it_takes_exactly_one_routine(
    ana: Client, own: Connection, sandbox: Sandbox, sent: dict[str, str], errors: dict[str, list[str]]
) -> None:
    answer = ana.post(f"/calls/{own.connection_id}/routine/", routine(**sent))
    assert answer.status_code == 422
    assert answer.context["form"].errors == errors
    assert sandbox.routines_set(own.connection_id) == []


@pytest.mark.parametrize("commands", ["", "[]", "[7]", '[{"name": "GetDigits", "count": 0}]'])
def test_a_wrong_routine_is_sent_to_nobody(
    ana: Client, own: Connection, sandbox: Sandbox, commands: str
) -> None:
    answer = ana.post(f"/calls/{own.connection_id}/routine/", routine(commands=commands))
    assert answer.status_code == 422
    assert (sandbox.routines_set(own.connection_id), Push.objects.count()) == ([], 0)


def test_an_operator_steers_no_other_persons_call(ana: Client, theirs: Connection, sandbox: Sandbox) -> None:
    for path, form in (("hangup", {}), ("routine", routine())):
        assert ana.post(f"/calls/{theirs.connection_id}/{path}/", form).status_code == 403
    assert sandbox.routines_set(theirs.connection_id) == []
    assert not Action.objects.exists()


def test_but_the_call_on_their_own_client(
    ana: Client, operator: Operator, theirs: Connection, sandbox: Sandbox
) -> None:
    Operator.objects.filter(pk=operator.pk).update(client_name="Kofi")
    ana.post(f"/calls/{theirs.connection_id}/hangup/")
    assert sandbox.routines_set(theirs.connection_id) == [HANG_UP]


def test_a_supervisor_steers_every_call(
    client: Client, make_operator: Callable[..., Operator], theirs: Connection, sandbox: Sandbox
) -> None:
    client.force_login(make_operator("sup", Role.SUPERVISOR))
    client.post(f"/calls/{theirs.connection_id}/routine/", routine())
    client.post(f"/calls/{theirs.connection_id}/hangup/")
    assert sandbox.routines_set(theirs.connection_id)[1:] == [HANG_UP]


def test_a_supervisor_may_overrule_an_unknown_command(
    client: Client, make_operator: Callable[..., Operator], theirs: Connection, sandbox: Sandbox
) -> None:
    client.force_login(make_operator("sup", Role.SUPERVISOR))
    form = routine(commands='[{"name": "Dance", "steps": 3}]')
    refused = client.post(f"/calls/{theirs.connection_id}/routine/", form)
    assert refused.status_code == 422
    assert "Send it all the same" in refused.content.decode()
    client.post(f"/calls/{theirs.connection_id}/routine/", form | {"overrule": "on"})
    assert sandbox.routines_set(theirs.connection_id) == [{"routine": [{"name": "Dance", "steps": 3}]}]


def test_an_input_without_an_address_gets_one_and_an_own_one_is_left(
    ana: Client, own: Connection, sandbox: Sandbox
) -> None:
    theirs = '{"name": "GetDigits", "count": 1, "on_done": "https://example.com/done"}'
    commands = f'[{{"name": "GetDigits", "count": 1}}, {theirs}, {{"name": "Say", "text": "Bye"}}]'
    ana.post(f"/calls/{own.connection_id}/routine/", routine(commands=commands))
    (sent,) = sandbox.routines_set(own.connection_id)
    addresses: list[Any] = [command.get("on_done") for command in sent["routine"]]
    step = Push.objects.get().script.steps.get()
    assert addresses[0].endswith(f"/hooks/sift/done/{step.token}/")
    assert addresses[1:] == ["https://example.com/done", None]


def test_a_conversation_always_says_whether_it_is_recorded(
    ana: Client, own: Connection, sandbox: Sandbox
) -> None:
    commands = '[{"name": "CallClient", "client_name": "kofi"}]'
    ana.post(f"/calls/{own.connection_id}/routine/", routine(commands=commands))
    (sent,) = sandbox.routines_set(own.connection_id)
    assert sent["routine"][0]["do_record"] is True


def test_both_are_on_record_and_on_the_calls_page(
    ana: Client, own: Connection, make_operator: Callable[..., Operator]
) -> None:
    ana.post(f"/calls/{own.connection_id}/routine/", routine())
    ana.post(f"/calls/{own.connection_id}/hangup/")
    of_call = Action.objects.filter(connection_id=own.connection_id).exclude(verb="place")
    assert list(of_call.order_by("id").values_list("verb", "phase")) == [
        ("push", "intent"),
        ("push", "outcome"),
        ("hang_up", "intent"),
        ("hang_up", "outcome"),
    ]
    ana.force_login(make_operator("sup", Role.SUPERVISOR))
    content = ana.get(own.get_absolute_url()).content.decode()
    assert "Record of actions" in content
    assert "ana sent a routine" in content
    assert "ana asked to hang up" in content
