"""What was used is archived and not deleted; what is in use is not archived."""

import json
from typing import Any

import pytest
from django.test import Client

from connections_app.models import Action, InboundRule, Origin, Routine, Script, Verb
from tests.routines.conftest import HELLO, MakeRoutine

pytestmark = pytest.mark.django_db


def press(client: Client, routine: Routine, button: str, **fields: Any) -> Any:
    routine.refresh_from_db()
    return client.post(f"/routines/{routine.pk}/{button}/", {"revision": routine.revision} | fields)


def test_it_is_hidden_and_comes_back(writer: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine()
    assert press(writer, routine, "archive").status_code == 302
    assert "Greeting" not in writer.get("/routines/").content.decode()
    assert "Greeting" in writer.get("/routines/?archived=1").content.decode()
    assert press(writer, routine, "unarchive").status_code == 302
    assert "Greeting" in writer.get("/routines/").content.decode()


def test_it_is_recorded(writer: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine()
    press(writer, routine, "archive")
    press(writer, routine, "unarchive")
    told = Action.objects.filter(verb=Verb.ARCHIVE).order_by("pk").values_list("phase", "actor", "outcome")
    assert list(told) == [
        ("intent", "sam", ""),
        ("outcome", "sam", "archived"),
        ("intent", "sam", ""),
        ("outcome", "sam", "brought back"),
    ]


def test_it_stays_while_a_rule_answers_with_it(writer: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine()
    rule = InboundRule.objects.create(name="Weekend", routine=routine)
    answer = press(writer, routine, "archive")
    assert answer.status_code == 409
    assert "the inbound rule “Weekend”" in answer.content.decode()
    InboundRule.objects.filter(pk=rule.pk).update(is_active=False)
    assert press(writer, routine, "archive").status_code == 302


def test_it_stays_while_another_goes_on_with_it(writer: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine()
    other = make_routine("Menu", [{"name": "GetDigits", "count": 1, "then": {"1": routine.pk}}])
    assert "the routine “Menu”" in press(writer, routine, "archive").content.decode()
    assert press(writer, other, "archive").status_code == 302
    assert press(writer, routine, "archive").status_code == 302


def test_one_that_goes_on_with_itself_can_be_archived(writer: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine()
    again = [{"name": "GetDigits", "count": 1, "then": {"1": routine.pk}}]
    routine.versions.create(number=2, commands=again, author="sam")
    Routine.objects.filter(pk=routine.pk).update(published=routine.versions.get(number=2))
    assert press(writer, routine, "archive").status_code == 302


def test_calls_keep_what_they_were_given(writer: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine()
    version = routine.versions.get()
    fields = {"commands": HELLO, "preview": "Says “Hello”.", "dials": False}
    script = Script.objects.create(origin=Origin.PLACED, version=version, **fields)
    press(writer, routine, "archive")
    assert press(writer, routine, "delete").status_code == 409
    script.refresh_from_db()
    assert script.version == version


def test_it_does_not_come_back_under_a_name_that_is_taken(writer: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine()
    press(writer, routine, "archive")
    make_routine()
    answer = press(writer, routine, "unarchive")
    assert answer.status_code == 409
    assert "Another routine has this name." in answer.content.decode()


def test_an_archived_one_is_not_edited(writer: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine()
    press(writer, routine, "archive")
    assert writer.get(f"/routines/{routine.pk}/edit/").status_code == 404
    assert press(writer, routine, "bring-back", number=1).status_code == 409


def test_what_was_never_published_is_deleted(writer: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine(publish=False)
    assert press(writer, routine, "delete")["Location"] == "/routines/"
    assert not Routine.objects.filter(pk=routine.pk).exists()
    outcome = Action.objects.get(verb=Verb.ARCHIVE, phase=Action.Phase.OUTCOME)
    assert (outcome.outcome, outcome.payload) == ("deleted", {"draft": json.dumps(HELLO)})


def test_what_was_published_is_not(writer: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine()
    assert press(writer, routine, "delete").status_code == 409
    assert Routine.objects.filter(pk=routine.pk).exists()


def test_an_older_version_becomes_the_draft(writer: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine()
    bye = [{"name": "HangUp"}]
    newer = routine.versions.create(number=2, commands=bye, author="sam")
    Routine.objects.filter(pk=routine.pk).update(published=newer)
    press(writer, routine, "bring-back", number=1)
    routine.refresh_from_db()
    assert json.loads(routine.draft) == HELLO
    assert routine.published == newer


def test_the_published_version_takes_the_draft_away(writer: Client, make_routine: MakeRoutine) -> None:
    routine = make_routine(draft="[]")
    press(writer, routine, "bring-back", number=1)
    routine.refresh_from_db()
    assert routine.draft == ""


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"number": 9}, 404),
        ({}, 404),
        ({"number": "x"}, 404),
        ({"number": "\x00"}, 404),
        ({"revision": "²", "number": 1}, 422),
        ({"revision": 2**40, "number": 1}, 422),
    ],
)
def test_what_is_no_version_is_not_brought_back(
    writer: Client, make_routine: MakeRoutine, fields: dict[str, Any], status: int
) -> None:
    assert press(writer, make_routine(), "bring-back", **fields).status_code == status
