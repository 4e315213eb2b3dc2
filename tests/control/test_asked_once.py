"""Two rounds of the watch at the same time never ask Sift about the same call."""

from collections.abc import Callable
from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection as database
from django.utils import timezone

from connections_app.calls import refresh
from connections_app.control.watching import read_due_calls, watch
from connections_app.models import CallRequest, Connection, Operator, Outcome, Push, Reading
from connections_app.sift.client import SiftClient
from tests.conftest import Sandbox, wait_until
from tests.control.test_settling import listed, unknown
from tests.hooks.conftest import pushed

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
SAY = [{"name": "Say", "text": "Hello"}]


def placed(operator: Operator, sandbox: Sandbox) -> Connection:
    """A call of the sandbox whose request no callback told of."""
    [row] = sandbox.add({"status": "connected", "to": "+14155550142"})
    call = listed(row["connection_id"])
    unknown(operator, outcome=Outcome.ACCEPTED, connection=call)
    return call


def steered(operator: Operator, sandbox: Sandbox) -> Connection:
    """A call of the sandbox that was sent a routine."""
    call = placed(operator, sandbox)
    CallRequest.objects.all().delete()
    pushed(call, SAY, Outcome.ACCEPTED)
    Push.objects.update(answered_at=timezone.now())
    return call


def retrieved(sandbox: Sandbox, call: Connection) -> int:
    path = f"/v0/connections/{call.connection_id}"
    return sum(one["method"] == "GET" and one["path"] == path for one in sandbox.log())


@pytest.mark.parametrize("known", [placed, steered])
def test_a_call_that_another_round_waits_for_is_not_retrieved_again(
    operator: Operator, sandbox: Sandbox, known: Callable[[Operator, Sandbox], Connection]
) -> None:
    call = known(operator, sandbox)
    sandbox.faults({"kind": "slow", "seconds": 1.5, "on": "retrieve", "times": 1})

    def first() -> None:
        read_due_calls(SiftClient.configured(), timezone.now())
        database.close()

    thread = Thread(target=first)
    thread.start()
    wait_until(lambda: retrieved(sandbox, call) == 1)
    read_due_calls(SiftClient.configured(), timezone.now() + timedelta(seconds=5))
    thread.join()
    assert retrieved(sandbox, call) == 1
    read_due_calls(SiftClient.configured(), timezone.now() + timedelta(seconds=5))
    assert retrieved(sandbox, call) == 2


def test_the_claim_of_a_killed_process_ends(operator: Operator, sandbox: Sandbox) -> None:
    call = placed(operator, sandbox)
    assert refresh.claim([call.pk]) == {call.pk}
    assert refresh.claim([call.pk]) == set()
    Reading.objects.update(asking_since=timezone.now() - timedelta(seconds=refresh.CLAIM_SECONDS + 1))
    assert refresh.claim([call.pk]) == {call.pk}


def test_the_newest_calls_are_read_once_though_two_rounds_need_them(
    operator: Operator, sandbox: Sandbox
) -> None:
    unknown(operator)
    for _ in range(2):
        watch(SiftClient.configured())
    assert sum(one["path"] == "/v0/connections" for one in sandbox.log()) == 1
