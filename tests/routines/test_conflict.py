"""Nobody's work is overwritten unseen: who saves on top of a newer version is shown both."""

import json
from typing import Any

import pytest
from django.test import Client

from connections_app.models import Operator, Routine
from connections_app.routines import library
from connections_app.routines.library import Actor, ChangedMeanwhile, RoutineDraft
from tests.routines.conftest import HELLO, MakeRoutine
from tests.routines.test_in_step import controls

pytestmark = pytest.mark.django_db

MINE = [{"name": "Say", "text": "Mine <b>"}]
THEIRS = [{"name": "Say", "text": "Theirs"}]


@pytest.fixture
def routine(make_routine: MakeRoutine) -> Routine:
    return make_routine()


@pytest.fixture
def theirs(routine: Routine, make_operator: Any) -> Routine:
    """The routine after somebody else has saved a draft on top of what we opened."""
    typed = RoutineDraft("Theirs", "Newer", routine.used_by, json.dumps(THEIRS), routine.revision)  # type: ignore[arg-type]
    return library.save(routine, typed, Actor(make_operator("ben")))


def mine(routine: Routine, **fields: Any) -> dict[str, Any]:
    typed = {"name": "Mine", "used_by": "operators", "revision": routine.revision, "json": json.dumps(MINE)}
    return typed | {"do": "save"} | fields


@pytest.mark.parametrize("do", [{"do": "save"}, {"do": "publish", "note": "Mine"}])
def test_both_are_shown_and_nothing_is_written(
    writer: Client, routine: Routine, theirs: Routine, do: dict[str, str]
) -> None:
    answer = writer.post(f"/routines/{routine.pk}/edit/", mine(routine, **do))
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "ben changed this routine" in page
    assert "Mine &lt;b&gt;" in page
    assert "Theirs" in page
    left = Routine.objects.get(pk=routine.pk)
    assert (left.name, left.draft, left.revision) == ("Theirs", json.dumps(THEIRS), theirs.revision)
    assert left.versions.count() == 1


def test_mine_is_kept_on_top_of_theirs(writer: Client, routine: Routine, theirs: Routine) -> None:
    shown = writer.post(f"/routines/{routine.pk}/edit/", mine(routine))
    again = controls(shown) | {"do": "save"}
    assert writer.post(f"/routines/{routine.pk}/edit/", again).status_code == 302
    kept = Routine.objects.get(pk=routine.pk)
    assert (kept.name, json.loads(kept.draft), kept.changed_by) == ("Mine", MINE, "sam")


def test_mine_is_published_with_its_note(writer: Client, routine: Routine, theirs: Routine) -> None:
    shown = writer.post(f"/routines/{routine.pk}/edit/", mine(routine, do="publish", note="Shorter"))
    again = controls(shown) | {"do": "publish"}
    assert writer.post(f"/routines/{routine.pk}/edit/", again).status_code == 302
    assert routine.versions.values_list("number", "note")[0] == (2, "Shorter")


def test_a_third_who_is_faster_still_is_seen_too(writer: Client, routine: Routine, theirs: Routine) -> None:
    again = controls(writer.post(f"/routines/{routine.pk}/edit/", mine(routine))) | {"do": "save"}
    Routine.objects.filter(pk=routine.pk).update(revision=theirs.revision + 1)
    assert writer.post(f"/routines/{routine.pk}/edit/", again).status_code == 409


def test_one_may_go_on_writing(writer: Client, routine: Routine, theirs: Routine) -> None:
    shown = writer.post(f"/routines/{routine.pk}/edit/", mine(routine))
    answer = writer.post(f"/routines/{routine.pk}/edit/", controls(shown) | {"do": "look"})
    sent = controls(answer)
    assert (sent["c0-text"], sent["revision"]) == ("Mine <b>", str(theirs.revision))


def test_what_was_archived_meanwhile_can_be_kept_as_a_new_one(
    writer: Client, routine: Routine, supervisor: Operator
) -> None:
    library.archive(routine, routine.revision, Actor(supervisor))
    shown = writer.post(f"/routines/{routine.pk}/edit/", mine(routine))
    assert shown.status_code == 409
    page = shown.content.decode()
    assert "archived this routine" in page
    assert 'action="/routines/new/"' in page
    sent = controls(writer.post("/routines/new/", controls(shown) | {"do": "look"}))
    assert writer.post("/routines/new/", sent | {"do": "save"}).status_code == 302
    assert Routine.objects.get(name="Mine").draft != ""


def test_what_was_deleted_meanwhile_too(writer: Client, routine: Routine) -> None:
    Routine.objects.filter(pk=routine.pk).update(published=None)
    routine.versions.all().delete()
    Routine.objects.filter(pk=routine.pk).delete()
    shown = writer.post(f"/routines/{routine.pk}/edit/", mine(routine))
    assert shown.status_code == 409
    assert "was deleted while you wrote" in shown.content.decode()


@pytest.mark.parametrize("button", ["archive", "unarchive", "bring-back", "delete"])
def test_a_button_pressed_on_an_older_page_does_nothing(
    writer: Client, routine: Routine, theirs: Routine, button: str
) -> None:
    sent = {"revision": routine.revision, "number": 1}
    answer = writer.post(f"/routines/{routine.pk}/{button}/", sent)
    assert answer.status_code == 409
    assert "ben changed it meanwhile" in answer.content.decode()
    left = Routine.objects.get(pk=routine.pk)
    assert (left.draft, left.archived_at, left.revision) == (theirs.draft, None, theirs.revision)


def test_a_draft_that_somebody_went_on_with_is_not_deleted(writer: Client, make_routine: MakeRoutine) -> None:
    draft = make_routine("Draft", publish=False)
    Routine.objects.filter(pk=draft.pk).update(revision=2)
    assert writer.post(f"/routines/{draft.pk}/delete/", {"revision": 1}).status_code == 409
    assert Routine.objects.filter(pk=draft.pk).exists()


def test_of_two_changes_to_one_revision_the_second_is_refused(routine: Routine, supervisor: Operator) -> None:
    """Two who opened the same page: one is first, whatever they do."""
    typed = RoutineDraft("A", "", routine.used_by, json.dumps(HELLO), routine.revision)  # type: ignore[arg-type]
    library.save(routine, typed, Actor(supervisor))
    with pytest.raises(ChangedMeanwhile):
        library.save(routine, typed, Actor(supervisor))
    with pytest.raises(ChangedMeanwhile):
        library.archive(routine, routine.revision, Actor(supervisor))
