"""Sift tells how a placed call goes on, and is answered with the script while it is in force."""

from itertools import permutations

import pytest

from connections_app.calls import scripts
from connections_app.models import CallRequest, ConnectionEvent, Outcome, Push, Settled, Source
from tests.hooks.conftest import (
    DIAL,
    SAY,
    Sift,
    answer,
    call,
    kept,
    known,
    placed,
    pushed,
    refusal,
    status_of,
    told,
)

pytestmark = pytest.mark.django_db

GIVEN, NOTHING = {"routine": SAY}, {}
LIFE = ("connecting", "connected", "finished")


def test_the_script_is_given_up_to_the_first_connected_and_never_after(sift: Sift) -> None:
    request = placed(SAY)
    answers = [
        answer(sift.status(request.token, told(status, n=n)))
        for n, status in enumerate(["connecting", "connecting", "connected", "connected", "finished"])
    ]
    assert answers == [GIVEN, GIVEN, GIVEN, NOTHING, NOTHING]


def test_the_first_connected_is_given_the_script_when_it_is_the_first_of_all(sift: Sift) -> None:
    request = placed(SAY)
    assert answer(sift.status(request.token, told("connected"))) == GIVEN
    assert answer(sift.status(request.token, told("connecting"))) == NOTHING


def test_a_call_without_a_routine_is_answered_with_nothing(sift: Sift) -> None:
    request = placed()
    assert [answer(sift.status(request.token, told(status))) for status in LIFE] == [NOTHING] * 3


def test_a_script_that_dials_is_given_at_the_first_connected_alone_and_once(sift: Sift) -> None:
    request = placed(DIAL)
    answers = [
        answer(sift.status(request.token, told(status)))
        for status in ["connecting", "connecting", "connected", "connected", "connecting", "connected"]
    ]
    assert answers == [NOTHING, NOTHING, {"routine": DIAL}, NOTHING, NOTHING, NOTHING]


def test_a_connected_that_comes_after_the_end_is_answered_with_nothing(sift: Sift) -> None:
    request = placed(SAY)
    answer(sift.status(request.token, told("finished")))
    assert answer(sift.status(request.token, told("connected"))) == NOTHING
    assert status_of() == "finished"


@pytest.mark.parametrize("kind", [Push.Kind.ROUTINE, Push.Kind.HANG_UP])
def test_a_script_that_was_superseded_is_not_given(sift: Sift, kind: Push.Kind) -> None:
    request = placed(SAY)
    answer(sift.status(request.token, told("connecting")))
    pushed(call(), DIAL, kind=kind)
    assert answer(sift.status(request.token, told("connected"))) == NOTHING


@pytest.mark.parametrize("outcome", [Outcome.ACCEPTED, Outcome.UNKNOWN])
def test_a_push_that_may_have_reached_sift_supersedes(sift: Sift, outcome: Outcome) -> None:
    request = placed(SAY)
    answer(sift.status(request.token, told("connecting")))
    pushed(call(), outcome=outcome)
    assert answer(sift.status(request.token, told("connected"))) == NOTHING


def test_it_is_in_force_again_after_sift_refused_the_push(sift: Sift) -> None:
    request = placed(SAY)
    answer(sift.status(request.token, told("connecting")))
    made = pushed(call())
    Push.objects.update(outcome=Outcome.REJECTED)
    scripts.undo_superseding(made.pk)
    assert answer(sift.status(request.token, told("connected"))) == GIVEN


def test_a_push_made_before_it_was_known_whose_call_it_is_supersedes(sift: Sift) -> None:
    request = placed(SAY)
    pushed(known())
    assert answer(sift.status(request.token, told("connected"))) == NOTHING


def test_such_a_push_that_sift_refused_supersedes_nothing(sift: Sift) -> None:
    request = placed(SAY)
    pushed(known(), outcome=Outcome.REJECTED)
    assert answer(sift.status(request.token, told("connected"))) == GIVEN


def test_a_script_that_was_set_without_callbacks_is_not_given_again(sift: Sift) -> None:
    request = placed(SAY)
    answer(sift.status(request.token, told("connecting")))
    CallRequest.objects.get().script.__class__.objects.update(settled_at=request.asked_at)  # type: ignore[union-attr]
    assert answer(sift.status(request.token, told("connected"))) == NOTHING


# Which call it is ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", [Outcome.SENDING, Outcome.UNKNOWN])
def test_the_first_callback_settles_a_request_whose_answer_did_not_come(sift: Sift, outcome: Outcome) -> None:
    request = placed(outcome=outcome, reason="No answer within 10 s.")
    answer(sift.status(request.token, told("connecting")))
    request.refresh_from_db()
    assert (request.outcome, request.settled_by, request.reason) == ("accepted", "callback", "")
    assert request.connection == call()
    assert request.called_back_at
    assert request.answered_at


def test_what_settled_a_request_before_stays_known(sift: Sift) -> None:
    request = placed(connection=known(), settled_by=Settled.ANSWER)
    answer(sift.status(request.token, told("connected")))
    request.refresh_from_db()
    assert request.settled_by == Settled.ANSWER
    assert request.called_back_at


def test_a_token_belongs_to_the_first_call_that_uses_it(sift: Sift) -> None:
    request = placed(SAY)
    answer(sift.status(request.token, told("connecting")))
    before = CallRequest.objects.values().get()
    other = known("connecting", "c2")
    answered = sift.status(request.token, told("connected", "c2", start_time="2026-05-10T02:28:17Z"))
    assert refusal(answered) == (404, "This address belongs to another call.")
    assert refusal(sift.status(request.token, told("connected", "c3")))[0] == 404
    assert call("c2").change_number == other.change_number
    assert CallRequest.objects.values().get() == before
    assert [one.status for one in kept()] == [200, 404, 404]
    assert answer(sift.status(request.token, told("connected"))) == GIVEN


def test_a_call_belongs_to_the_first_token_that_names_it(sift: Sift) -> None:
    first, second = placed(SAY), placed(DIAL)
    answer(sift.status(first.token, told("connecting")))
    answered = sift.status(second.token, told("connected"))
    assert refusal(answered)[0] == 404
    assert status_of() == "connecting"
    second.refresh_from_db()
    assert (second.connection, second.called_back_at) == (None, None)
    assert answer(sift.status(first.token, told("connected"))) == GIVEN


@pytest.mark.parametrize("concluded", [Settled.LIST, Settled.PERSON])
def test_what_was_only_concluded_gives_way_to_the_call_itself(sift: Sift, concluded: Settled) -> None:
    mistaken, right = placed(connection=known(), settled_by=concluded), placed(SAY, outcome=Outcome.UNKNOWN)
    assert answer(sift.status(right.token, told("connected"))) == GIVEN
    right.refresh_from_db()
    mistaken.refresh_from_db()
    assert (right.connection, right.settled_by) == (call(), "callback")
    assert (mistaken.connection, mistaken.outcome, mistaken.settled_by) == (None, "unknown", "")
    assert "belongs to another request" in mistaken.reason


@pytest.mark.parametrize("concluded", [Settled.LIST, Settled.PERSON])
def test_a_request_thought_to_be_another_call_is_bound_again(sift: Sift, concluded: Settled) -> None:
    request = placed(SAY, connection=known(), settled_by=concluded)
    assert answer(sift.status(request.token, told("connected", "c2"))) == GIVEN
    request.refresh_from_db()
    assert (request.connection, request.settled_by) == (call("c2"), "callback")


def test_what_its_own_callback_confirmed_gives_way_no_more(sift: Sift) -> None:
    request, other = placed(SAY, connection=known(), settled_by=Settled.LIST), placed()
    answer(sift.status(request.token, told("connecting")))
    assert refusal(sift.status(other.token, told("connecting")))[0] == 404
    assert refusal(sift.status(request.token, told("connecting", "c2")))[0] == 404
    request.refresh_from_db()
    assert (request.connection, request.settled_by) == (call(), "callback")


# What is kept ----------------------------------------------------------------------------------------------


def test_both_halves_are_kept(sift: Sift) -> None:
    request = placed(SAY)
    answer(sift.status(request.token, told("connecting")))
    (one,) = kept()
    assert (one.body, one.answer, one.status, one.times) == (told("connecting"), GIVEN, 200, 1)
    assert (one.connection, one.call_request, one.kind) == (call(), request, "status")
    assert one.milliseconds > 0


def test_the_same_callback_a_thousand_times_is_one_row_and_one_event(sift: Sift) -> None:
    request = placed(SAY, connection=known())
    for _ in range(1000):
        answer(sift.status(request.token, told("connected")))
    (one,) = kept()
    assert one.times == 1000
    assert one.last_at > one.first_at
    assert [event.changes for event in ConnectionEvent.objects.all()] == [
        {"status": ["connecting", "connected"]}
    ]


@pytest.mark.parametrize("end", ["finished", "failed"])
def test_callbacks_in_any_order_lead_to_the_same_end(sift: Sift, end: str) -> None:
    bodies = [
        told("connecting", direction="incoming"),
        told("connected", start_time="2026-05-10T02:28:17Z", **{"from": "webrtc:ana"}),
        told(end, start_time="2026-05-10T02:28:17Z", end_time="2026-05-10T02:29:00Z"),
    ]
    ends = set()
    for n, order in enumerate(permutations([*bodies, bodies[1]])):
        request = placed(SAY)
        for body in order:
            body["connection"]["connection_id"] = f"c{n}"
            answer(sift.status(request.token, body))
        one = call(f"c{n}")
        ends.add((one.status, one.started_at, one.ended_at, one.direction, one.from_endpoint))
    assert len(ends) == 1
    assert end in ends.pop()


def test_a_call_whose_callback_comes_first_is_known_by_it(sift: Sift) -> None:
    answer(sift.status(placed().token, told("connecting")))
    assert call().first_source == Source.CALLBACK
