"""Nobody is there to be asked: what is marked “do not call” is not dialled, and the call's page says so."""

import json
from collections.abc import Callable

import pytest
from django.test import Client

from connections_app.calls import scripts
from connections_app.models import Action, Contact, InboundRule, Operator, Script, Step
from connections_app.sync.account import claim
from tests.hooks.conftest import DIAL, Commands, Sift, answer, placed, saved, told, wanted

pytestmark = pytest.mark.django_db

MARKED = "+14155550199"
WORDS = f"The routine was not given to Sift: {MARKED} is marked “do not call”."


def mark(endpoint: str = MARKED) -> None:
    Contact.objects.create(endpoint=endpoint, name="Ana", changed_by="sam", do_not_call=True)


@pytest.fixture
def page(client: Client, supervisor: Operator) -> Callable[[], str]:
    """The call's page, as a supervisor sees it."""
    client.force_login(supervisor)
    return lambda: client.get("/calls/c1/").content.decode()


def refusals() -> list[tuple[str, str, str]]:
    rows = Action.objects.filter(verb="not_dialled")
    return [(row.actor, row.connection_id, row.outcome) for row in rows]


def test_a_number_marked_since_the_call_was_placed_is_not_dialled(
    sift: Sift, page: Callable[[], str]
) -> None:
    request = placed(DIAL)
    mark()
    assert answer(sift.status(request.token, told("connecting"))) == {}
    assert refusals() == []
    assert answer(sift.status(request.token, told("connected"))) == {}
    script = Script.objects.get()
    assert (script.offered_at, script.settled_at is None) == (None, False)
    assert refusals() == [("", "c1", WORDS)]
    assert WORDS in page()
    assert answer(sift.status(request.token, told("connected", start_time="2026-11-24T12:00:00Z"))) == {}
    assert len(refusals()) == 1


def test_a_number_that_a_person_confirmed_is_dialled(sift: Sift) -> None:
    mark()
    made = scripts.make(wanted(DIAL), scripts.Origin.PLACED, confirmed=[MARKED])
    assert made is not None
    request = placed(script_id=made.pk)
    assert answer(sift.status(request.token, told("connected"))) == {"routine": DIAL}
    assert refusals() == []


@pytest.mark.parametrize(
    ("marked", "commands"),
    [
        ("webrtc:Kofi", [{"name": "CallClient", "client_name": "kofi"}]),
        ("webrtc:kofi", [{"name": "CallClient", "client_name": "webrtc:KOFI"}]),
        (MARKED, [{"name": "Dance", "partner": {"numbers": ["+1 (415) 555-0199"]}}]),
        ("webrtc:kofi", [{"name": "Dance", "client_name": "Kofi"}]),
        ("webrtc:kofi", [{"name": "Dance", "with": "WebRTC:kofi"}]),
    ],
    ids=str,
)
def test_an_incoming_call_is_not_connected_to_what_is_marked(
    sift: Sift, page: Callable[[], str], marked: str, commands: Commands
) -> None:
    InboundRule.objects.filter(is_default=True).update(routine=saved("Connect", commands))
    mark(marked)
    assert answer(sift.incoming(claim().incoming_token, told("connecting"))) == {}
    assert not Script.objects.exists()
    ((actor, connection_id, outcome),) = refusals()
    assert (actor, connection_id) == ("", "c1")
    assert "is marked “do not call”" in outcome
    assert "is marked “do not call”" in page()


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_continuation_dials_what_is_marked_only_where_a_person_confirmed_it(
    sift: Sift, supervisor: Operator, page: Callable[[], str], confirmed: bool
) -> None:
    connect = saved("Connect", DIAL)
    asks: Commands = [{"name": "GetDigits", "count": 1, "then": {"1": connect.pk}}]
    what = scripts.given_commands(json.dumps(asks), {}, supervisor)
    made = scripts.make(what, scripts.Origin.PLACED, confirmed=[MARKED] if confirmed else [])
    assert made is not None
    request = placed(script_id=made.pk)
    assert answer(sift.status(request.token, told("connected")))["routine"]
    mark()
    keyed = {"account_id": "acct", "connection_id": "c1", "digits": "1"}
    answered = answer(sift.done(Step.objects.get().token, keyed))
    assert answered == ({"routine": DIAL} if confirmed else {})
    assert refusals() == ([] if confirmed else [("", "c1", WORDS)])
    assert (WORDS in page()) is not confirmed
