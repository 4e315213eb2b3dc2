"""Which script of a call is in force: the newest that Sift did not refuse, in whatever order answers come."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from django.utils import timezone

from connections_app.calls import call_state
from connections_app.calls.call_state import CallState, ScriptInForce
from connections_app.calls.ingest import ingest
from connections_app.control.steering import finish
from connections_app.models import CallRequest, Connection, Push, Source
from connections_app.sift.outcomes import Accepted, Rejected, Unknown
from connections_app.sift.payloads import parse_rows
from tests.hooks.conftest import DIAL, Sift, answer, call, placed, pushed, told
from tests.hooks.conftest import sift as sift

pytestmark = pytest.mark.django_db
A = [{"name": "Say", "text": "A"}]
B = [{"name": "Say", "text": "B"}]
C = [{"name": "Say", "text": "C"}]
HANG_UP = [{"name": "HangUp"}]
ACCEPTED, REFUSED, UNKNOWN = Accepted(""), Rejected("No."), Unknown("Nothing came back.")
Answer = Accepted | Rejected | Unknown


def connected_with(commands: Any) -> CallRequest:
    """A call that was placed with `commands` and is connected; its script was given."""
    request = placed(commands)
    row = {
        "connection_id": "c1",
        "status": "connected",
        "to": "+14155550142",
        "start_time": "2026-05-01T00:00:00Z",
    }
    ingest(parse_rows([row])[0], Source.LIST)
    request.connection = call()
    request.save()
    if request.script:
        request.script.settled_at = request.script.offered_at = timezone.now()
        request.script.save()
    return request


def push(commands: Any, kind: Push.Kind = Push.Kind.ROUTINE) -> Push:
    made = pushed(call(), commands, kind=kind)
    return Push.objects.get(script_id=made.pk)


def stands(connection: Connection | None = None, after: timedelta = timedelta()) -> CallState:
    [row] = call_state.with_state([(connection or call()).pk])
    return call_state.state_of(row, timezone.now() + after)


def shown() -> tuple[str, str] | None:
    found = stands().routine
    return (found.preview, found.note) if found else None


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ((REFUSED, ACCEPTED), ("Says “C”.", "")),
        ((ACCEPTED, REFUSED), ("Says “B”.", "")),
        ((REFUSED, REFUSED), ("Says “A”.", "")),
        ((ACCEPTED, ACCEPTED), ("Says “C”.", "")),
        ((REFUSED, UNKNOWN), ("Says “C”.", "may be running")),
        ((UNKNOWN, REFUSED), ("Says “B”.", "may be running")),
    ],
)
def test_of_two_pushes_the_newest_that_was_not_refused_runs(
    answers: Sequence[Answer], order: Sequence[int], expected: tuple[str, str]
) -> None:
    connected_with(A)
    pushes = [push(B), push(C)]
    for index in order:
        finish(pushes[index], answers[index])
    assert shown() == expected


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_after_three_refusals_in_any_order_the_first_script_runs(order: Sequence[int]) -> None:
    connected_with(A)
    pushes = [push(B), push(HANG_UP, Push.Kind.HANG_UP), push(C)]
    for index in order:
        finish(pushes[index], REFUSED)
    assert shown() == ("Says “A”.", "")


def test_while_the_first_refusal_is_late_the_second_push_stays_in_force() -> None:
    connected_with(A)
    first, second = push(B), push(C)
    finish(second, ACCEPTED)
    assert shown() == ("Says “C”.", "")
    finish(first, REFUSED)
    assert shown() == ("Says “C”.", "")


def test_a_push_whose_answer_is_awaited_is_not_said_to_run() -> None:
    connected_with(A)
    push(B)
    assert shown() == ("Says “B”.", "being sent")
    late = stands(after=timedelta(minutes=1)).routine
    assert late == ScriptInForce("Says “B”.", "Says “B”.", "may be running")


def test_a_refusal_that_comes_after_the_outcome_was_unknown_puts_the_older_script_in_force() -> None:
    connected_with(A)
    asked = push(B)
    finish(asked, UNKNOWN)
    finish(asked, REFUSED)
    assert shown() == ("Says “A”.", "")


def test_a_refused_hang_up_does_not_run_and_hangs_nothing_up() -> None:
    connected_with(A)
    finish(push(HANG_UP, Push.Kind.HANG_UP), REFUSED)
    assert shown() == ("Says “A”.", "")
    assert not stands().is_hanging_up


def test_a_hang_up_is_never_shown_as_a_routine_that_runs() -> None:
    connected_with(A)
    finish(push(HANG_UP, Push.Kind.HANG_UP), ACCEPTED)
    assert shown() is None
    assert stands().is_hanging_up


def test_a_hang_up_stays_accepted_though_a_later_push_was_refused() -> None:
    connected_with(A)
    finish(push(HANG_UP, Push.Kind.HANG_UP), ACCEPTED)
    finish(push(B), REFUSED)
    assert shown() is None
    assert stands().is_hanging_up


def test_a_refused_push_alone_leaves_nothing_in_force() -> None:
    connected_with(None)
    finish(push(B), REFUSED)
    assert shown() is None


def test_a_script_that_waits_for_the_answer_is_not_said_to_run(sift: Sift) -> None:
    request = placed(A)
    answer(sift.status(request.token, told("connecting")))
    assert shown() == ("Says “A”.", "starts when answered")
    answer(sift.status(request.token, told("connected")))
    assert shown() == ("Says “A”.", "")


def test_nothing_runs_on_a_call_that_has_ended(sift: Sift) -> None:
    request = placed(A)
    answer(sift.status(request.token, told("connected")))
    answer(sift.status(request.token, told("finished")))
    assert shown() is None


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize(
    ("answers", "is_given"),
    [
        ((REFUSED, REFUSED), True),
        ((REFUSED, ACCEPTED), False),
        ((ACCEPTED, REFUSED), False),
        ((REFUSED, UNKNOWN), False),
        ((UNKNOWN, REFUSED), False),
    ],
)
def test_a_callback_is_given_the_first_script_only_when_every_push_was_refused(
    sift: Sift, answers: Sequence[Answer], order: Sequence[int], is_given: bool
) -> None:
    request = placed(A)
    answer(sift.status(request.token, told("connecting")))
    pushes = [push(B), push(C)]
    for index in order:
        finish(pushes[index], answers[index])
    assert answer(sift.status(request.token, told("connected"))) == ({"routine": A} if is_given else {})


def test_a_script_that_was_given_is_not_given_again_after_a_refused_push(sift: Sift) -> None:
    request = placed(DIAL)
    assert answer(sift.status(request.token, told("connected"))) == {"routine": DIAL}
    finish(push(B), REFUSED)
    assert answer(sift.status(request.token, told("connected"))) == {}
    found = stands().routine
    assert found is not None
    assert found.note == ""
