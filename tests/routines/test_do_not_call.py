"""A routine that dials what is marked “do not call” is published only with a tick, and answers no calls."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django.asserts import assertContains

from connections_app.models import Action, Contact, InboundRule, Operator, Role, Routine
from tests.routines.conftest import HELLO, MakeRoutine
from tests.routines.test_inbound_rules import ADMIN, errors
from tests.routines.test_inbound_rules import form as rule_form
from tests.routines.test_publish import publish

pytestmark = pytest.mark.django_db

MARKED = "+14155550199"
DIAL = [{"name": "CallPhone", "phone_number": MARKED}]


def mark(endpoint: str = MARKED) -> None:
    Contact.objects.create(endpoint=endpoint, name="Ana", changed_by="sam", do_not_call=True)


def then(routine: Routine) -> list[dict[str, Any]]:
    return [{"name": "GetDigits", "count": 1, "then": {"1": routine.pk}}]


def edit(writer: Client, routine: Routine, commands: Any, **fields: Any) -> Any:
    typed = publish(commands, name=routine.name, revision=routine.revision, **fields)
    return writer.post(f"/routines/{routine.pk}/edit/", typed)


def versions(routine: Routine) -> int:
    return routine.versions.count()


@pytest.mark.parametrize("tick", ["", "on", "+14155550198", f"{MARKED}, +14155550198"])
def test_it_is_not_published_without_the_tick_for_what_it_dials(writer: Client, tick: str) -> None:
    mark()
    answer = writer.post("/routines/new/", publish(DIAL, although_marked=tick))
    assertContains(answer, "Tick this to publish it although marked.", status_code=422)
    assertContains(answer, f'name="although_marked" value="{MARKED}"', status_code=422)
    assert not Routine.objects.filter(name="Greeting").exists()


def test_with_the_tick_it_is_published_on_record(writer: Client) -> None:
    mark()
    assert writer.post("/routines/new/", publish(DIAL, although_marked=MARKED)).status_code == 302
    assert Action.objects.latest("pk").payload["although_marked"] == MARKED


@pytest.mark.parametrize("depth", ["itself", "what follows"])
def test_one_that_answers_calls_is_not_published_even_with_the_tick(
    writer: Client, make_routine: MakeRoutine, depth: str
) -> None:
    mark()
    routine = make_routine("Connect", HELLO)
    answers = (
        routine if depth == "itself" else make_routine("Ask", then(make_routine("Between", then(routine))))
    )
    InboundRule.objects.create(name="Sales", routine=answers)
    answer = edit(writer, routine, DIAL, although_marked=MARKED)
    assertContains(answer, "The inbound rule “Sales” uses it, where nobody can be asked", status_code=422)
    assert versions(routine) == 1


def test_going_on_with_one_that_dials_counts_too(writer: Client, make_routine: MakeRoutine) -> None:
    connect = make_routine("Connect", DIAL)
    mark()
    routine = make_routine("Ask", HELLO)
    rule = InboundRule.objects.create(name="Sales", routine=routine)
    assert edit(writer, routine, then(connect)).status_code == 422
    assert versions(routine) == 1
    InboundRule.objects.filter(pk=rule.pk).update(is_active=False)
    assert edit(writer, routine, then(connect)).status_code == 302
    assert versions(routine) == 2


@pytest.mark.parametrize("depth", ["itself", "what follows"])
def test_a_rule_with_one_that_dials_is_not_saved(
    client: Client, make_operator: Callable[..., Operator], make_routine: MakeRoutine, depth: str
) -> None:
    client.force_login(make_operator("root", Role.ADMINISTRATOR, is_staff=True))
    connect = make_routine("Connect", [*json.loads(json.dumps(DIAL)), {"name": "HangUp"}])
    mark()
    routine = connect if depth == "itself" else make_routine("Ask", then(connect))
    (problem,) = errors(client.post(f"{ADMIN}add/", rule_form(routine)))["routine"]
    assert problem == (
        f"Nobody is there to be asked. Choose one that does not dial it: {MARKED} is marked “do not call”."
    )
    assert not InboundRule.objects.filter(is_default=False).exists()
