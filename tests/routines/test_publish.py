"""A draft is work in progress; a version is what calls use, kept for ever, with who made it and why."""

import json
from typing import Any

import pytest
from django.test import Client

from connections_app.models import Action, Operator, Routine, RoutineVersion, UsedBy, Verb
from connections_app.routines import library
from connections_app.routines.library import Actor, NotReady, RoutineDraft
from tests.routines.conftest import HELLO, MakeRoutine

pytestmark = pytest.mark.django_db

BYE = [{"name": "HangUp"}]
BROKEN = [{"name": "Say"}]


def form(commands: Any, **fields: Any) -> dict[str, Any]:
    typed = {"name": "Greeting", "used_by": "operators", "revision": 1, "json": json.dumps(commands)}
    return typed | {"do": "save"} | fields


def publish(commands: Any, **fields: Any) -> dict[str, Any]:
    return form(commands, **{"do": "publish", "note": "Shorter"} | fields)


def test_it_publishes_a_first_version(writer: Client) -> None:
    answer = writer.post("/routines/new/", publish(HELLO, description="For all"))
    routine = Routine.objects.get(name="Greeting")
    assert answer["Location"] == f"/routines/{routine.pk}/"
    version = routine.versions.get()
    assert routine.published == version
    assert (version.number, version.commands, version.note, version.author) == (1, HELLO, "Shorter", "sam")
    assert (routine.description, routine.changed_by, routine.draft) == ("For all", "sam", "")


def test_it_publishes_the_next_version_and_keeps_the_last(writer: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine()
    writer.post(f"/routines/{routine.pk}/edit/", publish(BYE, revision=routine.revision))
    routine.refresh_from_db()
    assert routine.published is not None
    assert (routine.published.number, routine.published.commands) == (2, BYE)
    assert routine.versions.get(number=1).commands == HELLO


@pytest.mark.parametrize("do", ["publish", "save"])
def test_a_reading_of_the_form_that_carries_the_last_button_keeps_nothing(writer: Client, do: str) -> None:
    answer = writer.post("/routines/new/", publish(HELLO, do=do), headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert not Routine.objects.filter(name="Greeting").exists()


def test_it_records_who_published_what(writer: Client, supervisor: Operator) -> None:
    writer.post("/routines/new/", publish(HELLO))
    intent, outcome = Action.objects.order_by("pk")
    assert (intent.phase, outcome.phase) == (Action.Phase.INTENT, Action.Phase.OUTCOME)
    for action in (intent, outcome):
        assert (action.verb, action.actor_id, action.actor) == (Verb.PUBLISH, supervisor.pk, "sam")
        assert action.address == "127.0.0.1"
        assert action.subject.endswith(": Greeting")
        assert action.payload == {"version": 1, "note": "Shorter"}
    assert outcome.outcome == "published"


def test_it_needs_a_note(writer: Client) -> None:
    answer = writer.post("/routines/new/", publish(HELLO, note=" "))
    assert answer.status_code == 422
    assert "Say what changed" in answer.content.decode()
    assert not Routine.objects.filter(name="Greeting").exists()


def test_it_does_not_publish_problems(writer: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine()
    answer = writer.post(f"/routines/{routine.pk}/edit/", publish(BROKEN, revision=routine.revision))
    assert answer.status_code == 422
    assert "Command 1 (Say), text: is missing." in answer.content.decode()
    assert RoutineVersion.objects.filter(routine=routine).count() == 1


def test_it_does_not_publish_what_is_published(writer: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine()
    answer = writer.post(f"/routines/{routine.pk}/edit/", publish(HELLO, revision=routine.revision))
    assert answer.status_code == 422
    assert "The commands are those of version 1." in answer.content.decode()


def test_commands_that_are_not_known_need_a_tick(writer: Client) -> None:
    answer = writer.post("/routines/new/", publish([{"name": "Whisper", "to": "ana"}]))
    assert answer.status_code == 422
    assert "Tick this" in answer.content.decode()
    answer = writer.post("/routines/new/", publish([{"name": "Whisper", "to": "ana"}], unknown="on"))
    assert answer.status_code == 302


def test_it_goes_on_only_with_what_is_published(writer: Client, make_routine: MakeRoutine) -> None:
    draft = make_routine("Later", publish=False)
    asks = [{"name": "GetDigits", "count": 1, "then": {"1": draft.pk}}]
    answer = writer.post("/routines/new/", publish(asks))
    assert answer.status_code == 422
    problem = '<p class="problem" id="c0-then-problem">Goes on with a routine that is not published.</p>'
    assert problem in answer.content.decode()


def test_one_that_is_archived_at_the_last_moment_is_not_gone_on_with(
    supervisor: Operator, make_routine: MakeRoutine
) -> None:
    """After the page has looked, and before it is written."""
    later = make_routine("Later")
    asks = [{"name": "GetDigits", "count": 1, "then": {"1": later.pk}}]
    library.archive(later, later.revision, Actor(supervisor))
    typed = RoutineDraft("Menu", "", UsedBy.OPERATORS, json.dumps(asks), 0)
    with pytest.raises(NotReady):
        library.publish(None, typed, "First", Actor(supervisor))
    assert not Routine.objects.filter(name="Menu").exists()


def test_a_routine_may_go_on_with_itself(writer: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine()
    again = [{"name": "GetDigits", "count": 1, "then": {"9": routine.pk}}]
    answer = writer.post(f"/routines/{routine.pk}/edit/", publish(again, revision=routine.revision))
    assert answer.status_code == 302


def test_a_draft_may_have_problems(writer: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine()
    answer = writer.post(f"/routines/{routine.pk}/edit/", form(BROKEN, revision=routine.revision))
    assert answer["Location"] == f"/routines/{routine.pk}/edit/"
    routine.refresh_from_db()
    assert json.loads(routine.draft) == BROKEN
    assert routine.published is not None
    assert routine.published.commands == HELLO


def test_a_draft_like_the_published_version_is_none(writer: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine(draft=json.dumps(BYE))
    writer.post(f"/routines/{routine.pk}/edit/", form(HELLO, revision=routine.revision))
    routine.refresh_from_db()
    assert routine.draft == ""


def test_a_name_is_taken_once(writer: Client, make_routine: MakeRoutine) -> None:
    make_routine("Greeting")
    answer = writer.post("/routines/new/", form(HELLO, name="greeting"))
    assert answer.status_code == 422
    assert "Another routine has this name." in answer.content.decode()


def test_the_name_of_an_archived_one_is_free(writer: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine("Greeting")
    writer.post(f"/routines/{routine.pk}/archive/", {"revision": routine.revision})
    assert writer.post("/routines/new/", form(HELLO)).status_code == 302
