"""A command has ended: what was heard is kept, and the routine that the answer leads to goes on."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from connections_app.calls import scripts
from connections_app.models import Callback, CallRequest, Operator, Origin, Outcome, Push, Script, Step
from tests.hooks.conftest import (
    ASK,
    DIAL,
    SAY,
    Commands,
    Sift,
    answer,
    call,
    kept,
    known,
    placed,
    publish,
    pushed,
    refusal,
    saved,
    told,
)

pytestmark = pytest.mark.django_db

KEYED_1 = {"account_id": "acct", "connection_id": "c1", "digits": "1"}
GOODBYE: Commands = [{"name": "Say", "text": "Goodbye"}]


def asking(**then: int) -> Commands:
    """A question; `one`, `nothing` and `anything` name the routines that go on."""
    answers = {"one": "1", "nothing": "", "anything": "any"}
    return [{"name": "GetDigits", "count": 1, "then": {answers[key]: pk for key, pk in then.items()}}]


@pytest.fixture
def running(sift: Sift, supervisor: Operator) -> Callable[..., CallRequest]:
    """Place a call with a routine, and let it connect: Sift runs it."""

    def run(commands: Commands, connection_id: str = "c1", **values: str) -> CallRequest:
        wanted = scripts.given_commands(json.dumps(commands), values, supervisor)
        request = placed(wanted)
        answered = answer(sift.status(request.token, told("connected", connection_id)))
        assert answered["routine"]
        return request

    return run


def step() -> Step:
    """The newest question."""
    return Step.objects.latest("pk")


def token_in(answered: dict[str, Any]) -> str:
    """The token in the address that the first command of an answer is to call when it is done."""
    return str(answered["routine"][0]["on_done"]).rstrip("/").rpartition("/")[2]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"digits": "12#"}, "GetDigits is done, “12#” was keyed"),
        ({"digits": ""}, "GetDigits is done, nothing was keyed"),
        ({"choice": "sales"}, "“sales” was said"),
        ({"value": True}, "“yes” was said"),
        ({"value": False}, "“no” was said"),
        ({"value": "4711"}, "“4711” was said"),
        ({"value": None, "error": "timeout"}, "nothing was heard (timeout)"),
        ({}, "nothing was heard"),
        ({"digits": "<script>"}, "“&lt;script&gt;” was keyed"),
        ({"choice": ["sales"]}, "nothing was heard"),
    ],
)
def test_what_was_heard_stands_on_the_calls_page(
    client: Client,
    sift: Sift,
    running: Callable[..., CallRequest],
    supervisor: Operator,
    body: dict[str, Any],
    words: str,
) -> None:
    running(ASK)
    assert answer(sift.done(step().token, {"connection_id": "c1"} | body)) == {}
    client.force_login(supervisor)
    page = client.get("/calls/c1/").content.decode()
    assert words in page
    assert Callback.objects.get(kind="done").step == step()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"digits": "1"}, "One"),
        ({"value": 1}, "One"),
        ({"choice": "1"}, "One"),
        ({"digits": ""}, "Nothing"),
        ({"value": None, "error": "timeout"}, "Nothing"),
        ({}, "Nothing"),
        ({"digits": "2"}, "Anything"),
        ({"value": True}, "Anything"),
        ({"value": {"odd": 1}}, "Nothing"),
    ],
)
def test_the_answer_says_which_routine_goes_on(
    sift: Sift, running: Callable[..., CallRequest], body: dict[str, Any], says: str
) -> None:
    one, nothing, anything = (
        saved(name, [{"name": "Say", "text": name}]) for name in ("One", "Nothing", "Anything")
    )
    running(asking(one=one.pk, nothing=nothing.pk, anything=anything.pk))
    answered = answer(sift.done(step().token, {"connection_id": "c1"} | body))
    assert answered == {"routine": [{"name": "Say", "text": says}]}


def test_yes_and_no_are_answers(sift: Sift, running: Callable[..., CallRequest]) -> None:
    yes, no = saved("Yes", SAY), saved("No", GOODBYE)
    running([{"name": "GetYesOrNo", "then": {"yes": yes.pk, "no": no.pk}}])
    answered = answer(sift.done(step().token, {"connection_id": "c1", "value": False}))
    assert answered == {"routine": GOODBYE}


def test_an_answer_without_a_line_of_its_own_changes_nothing(
    sift: Sift, running: Callable[..., CallRequest]
) -> None:
    running(asking(one=saved("One", SAY).pk))
    assert answer(sift.done(step().token, {"connection_id": "c1", "digits": "2"})) == {}
    assert Script.objects.count() == 1


def test_the_version_is_the_one_of_when_the_call_was_placed(
    sift: Sift, running: Callable[..., CallRequest]
) -> None:
    routine = saved("One", SAY)
    running(asking(one=routine.pk))
    publish(routine, GOODBYE)
    assert answer(sift.done(step().token, KEYED_1)) == {"routine": SAY}


def test_what_was_filled_in_goes_on(sift: Sift, running: Callable[..., CallRequest]) -> None:
    last = saved("Last", [{"name": "Say", "text": "Goodbye {{ customer }}"}])
    first = saved("First", [{"name": "Say", "text": "Hello {{ customer }}"}, *asking(one=last.pk)])
    running(asking(one=first.pk), customer="Ms Doe")
    answered = answer(sift.done(step().token, KEYED_1))
    assert answered["routine"][0] == {"name": "Say", "text": "Hello Ms Doe"}
    answered = answer(sift.done(step().token, KEYED_1))
    assert answered == {"routine": [{"name": "Say", "text": "Goodbye Ms Doe"}]}


def test_the_same_callback_gets_the_same_answer(sift: Sift, running: Callable[..., CallRequest]) -> None:
    running(asking(one=saved("One", ASK).pk))
    first = answer(sift.done(step().token, KEYED_1))
    asked = Step.objects.order_by("pk")[0]
    assert first["routine"][0]["name"] == "GetDigits"
    assert answer(sift.done(asked.token, KEYED_1)) == first
    assert Script.objects.count() == 2
    assert [one.times for one in kept()] == [1, 2]


def test_another_callback_for_the_same_question_is_too_late(
    sift: Sift, running: Callable[..., CallRequest]
) -> None:
    one, other = saved("One", SAY), saved("Other", GOODBYE)
    running(asking(one=one.pk, anything=other.pk))
    token = step().token
    assert answer(sift.done(token, KEYED_1)) == {"routine": SAY}
    assert answer(sift.done(token, KEYED_1 | {"digits": "2"})) == {}
    assert answer(sift.done(token, KEYED_1)) == {"routine": SAY}


def test_a_routine_that_dials_goes_on_once(sift: Sift, running: Callable[..., CallRequest]) -> None:
    running(asking(one=saved("Connect", DIAL).pk))
    answers = [answer(sift.done(step().token, KEYED_1)) for _ in range(3)]
    assert answers == [{"routine": DIAL}, {}, {}]


@pytest.mark.parametrize("kind", [Push.Kind.ROUTINE, Push.Kind.HANG_UP])
def test_a_late_callback_of_a_superseded_script_gets_nothing(
    sift: Sift, running: Callable[..., CallRequest], kind: Push.Kind
) -> None:
    running(asking(one=saved("One", SAY).pk))
    token = step().token
    pushed(call(), GOODBYE, kind=kind)
    assert [answer(sift.done(token, KEYED_1)) for _ in range(2)] == [{}, {}]
    assert [one.times for one in kept()] == [1, 2]


def test_it_goes_on_after_sift_refused_the_push(sift: Sift, running: Callable[..., CallRequest]) -> None:
    running(asking(one=saved("One", SAY).pk))
    made = pushed(call(), GOODBYE)
    Push.objects.update(outcome=Outcome.REJECTED)
    scripts.undo_superseding(made.pk)
    assert answer(sift.done(step().token, KEYED_1)) == {"routine": SAY}


def test_the_same_callback_gets_nothing_once_a_push_superseded_what_went_on(
    sift: Sift, running: Callable[..., CallRequest]
) -> None:
    running(asking(one=saved("One", SAY).pk))
    token = step().token
    assert answer(sift.done(token, KEYED_1)) == {"routine": SAY}
    pushed(call(), GOODBYE)
    assert answer(sift.done(token, KEYED_1)) == {}


def test_a_pushed_routine_goes_on_too(
    sift: Sift, running: Callable[..., CallRequest], supervisor: Operator
) -> None:
    one = saved("One", SAY)
    running(GOODBYE)
    wanted = scripts.given_commands(json.dumps(asking(one=one.pk)), {}, supervisor)
    scripts.make_for(call(), wanted, Origin.PUSHED)
    assert answer(sift.done(step().token, KEYED_1)) == {"routine": SAY}


def test_a_menu_that_leads_to_itself_is_repeated_round_after_round(
    sift: Sift, running: Callable[..., CallRequest]
) -> None:
    menu = saved("Menu", SAY)
    publish(menu, asking(one=menu.pk, nothing=saved("End", GOODBYE).pk))
    running(menu.published.commands)  # type: ignore[union-attr]
    tokens = [step().token]
    for _ in range(5):
        tokens.append(token_in(answer(sift.done(tokens[-1], KEYED_1))))
    assert len(set(tokens)) == 6
    assert answer(sift.done(tokens[2], KEYED_1 | {"digits": ""})) == {}
    assert answer(sift.done(tokens[-1], KEYED_1 | {"digits": ""})) == {"routine": GOODBYE}


def test_a_late_status_callback_does_not_bring_back_the_first_script(
    sift: Sift, running: Callable[..., CallRequest], supervisor: Operator
) -> None:
    wanted = scripts.given_commands(json.dumps(asking(one=saved("One", SAY).pk)), {}, supervisor)
    request = placed(wanted)
    answer(sift.status(request.token, told("connecting")))
    answer(sift.done(step().token, KEYED_1))
    assert answer(sift.status(request.token, told("connected"))) == {}


def test_nothing_goes_on_when_the_call_is_over(sift: Sift, running: Callable[..., CallRequest]) -> None:
    request = running(asking(one=saved("Connect", DIAL).pk))
    answer(sift.status(request.token, told("finished")))
    assert answer(sift.done(step().token, KEYED_1)) == {}
    assert Script.objects.count() == 1


def test_another_calls_id_is_refused(sift: Sift, running: Callable[..., CallRequest]) -> None:
    running(asking(one=saved("One", SAY).pk))
    known(connection_id="c2")
    refused = sift.done(step().token, KEYED_1 | {"connection_id": "c2"})
    assert refusal(refused) == (404, "This address belongs to another call.")
    assert Script.objects.count() == 1
    assert answer(sift.done(step().token, KEYED_1)) == {"routine": SAY}


def test_one_that_came_before_it_was_known_whose_call_it_is_belongs_to_it_later(sift: Sift) -> None:
    request = placed(ASK)
    assert answer(sift.done(step().token, KEYED_1)) == {}
    assert [one.connection for one in kept()] == [None]
    answer(sift.status(request.token, told("connected")))
    assert answer(sift.done(step().token, KEYED_1)) == {}
    assert [one.connection for one in kept()] == [call(), call()]


def test_a_callback_without_an_id_is_the_calls_own(sift: Sift, running: Callable[..., CallRequest]) -> None:
    running(asking(one=saved("One", SAY).pk))
    assert answer(sift.done(step().token, {"digits": "1"})) == {"routine": SAY}


@pytest.mark.parametrize("body", [b"", b"not json", [], None, b"[" * 1000, {"a": 1, "connection_id": ["c1"]}])
def test_what_cannot_be_understood_is_refused_and_the_script_stays_in_force(
    sift: Sift, running: Callable[..., CallRequest], body: Any
) -> None:
    running(asking(one=saved("One", SAY).pk))
    assert sift.done(step().token, body).status_code in (400, 404)
    assert kept()[-1].status in (400, 404)
    assert answer(sift.done(step().token, KEYED_1)) == {"routine": SAY}


@pytest.mark.parametrize(
    "heard",
    [
        rb'"digits": "\u0000"',
        rb'"digits": "\ud800"',
        b'"value": NaN',
        b'"value": 1e999',
        b'"value": -0',
        b'"choice": {"a": [1]}',
        b'"digits": "' + b"1" * 200_000 + b'"',
        b'"value": ' + b"1" * 299,
        b'"digits": "__class__"',
    ],
)
def test_odd_answers_are_taken(sift: Sift, running: Callable[..., CallRequest], heard: bytes) -> None:
    running(asking(one=saved("One", SAY).pk))
    assert answer(sift.done(step().token, b'{"connection_id": "c1", ' + heard + b"}")) == {}
