"""Notes on calls: written once, changed with the text before it kept, taken away and put back."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from connections_app.models import EarlierText, Note, Operator, Role
from tests.factories import seen

pytestmark = pytest.mark.django_db

Make = Callable[..., Operator]
PAGE = "/calls/a1/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def ana(client: Client, make_operator: Make) -> Client:
    """An operator's browser, and a past call."""
    seen({"connection_id": "a1", "to": "+14155550142", "direction": "incoming"})
    client.force_login(make_operator("ana"))
    return client


@pytest.fixture
def ben(ana: Client, make_operator: Make) -> Client:
    """A supervisor's browser."""
    browser = Client()
    browser.force_login(make_operator("ben", Role.SUPERVISOR))
    return browser


def write(browser: Client, text: str = "Wants a refund", **options: Any) -> Note:
    answer = browser.post(f"{PAGE}notes/", {"request_id": uuid4(), "text": text}, **options)
    assert answer.status_code in (200, 303), answer.content.decode()
    return Note.objects.latest("pk")


def change(browser: Client, note: Note, text: str, **fields: str) -> Any:
    opened = note.edited_at.isoformat() if note.edited_at else ""
    return browser.post(f"{PAGE}notes/{note.pk}/", {"text": text, "as_of": opened} | fields)


def test_a_note_stands_in_the_timeline_with_its_author(ana: Client) -> None:
    note = write(ana)
    (happened,) = [one for one in ana.get(PAGE).context["timeline"] if one.note]
    assert (happened.title, happened.note, happened.at) == ("ana", note, note.written_at)


def test_lines_are_kept_and_markup_is_text(ana: Client) -> None:
    assert write(ana, "One\r\ntwo <b>three</b>\r\nhttps://example.com").text.count("\n") == 2
    answer = ana.get(PAGE)
    assertContains(answer, "One\ntwo &lt;b&gt;three&lt;/b&gt;\nhttps://example.com")
    assertNotContains(answer, 'href="https://example.com')


def test_the_same_form_twice_writes_one(ana: Client) -> None:
    form = {"request_id": uuid4(), "text": "Once"}
    for _ in range(2):
        assert ana.post(f"{PAGE}notes/", form).status_code == 303
    assert Note.objects.count() == 1


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_used_form_with_another_text_keeps_the_text_and_gets_an_id_of_its_own(
    ana: Client, headers: dict[str, str]
) -> None:
    form = {"request_id": str(uuid4()), "text": "First"}
    ana.post(f"{PAGE}notes/", form)
    answer = ana.post(f"{PAGE}notes/", form | {"text": "Second, typed after going back"}, headers=headers)
    content = answer.content.decode()
    assert answer.status_code == 409
    assert "Second, typed after going back" in content
    assert "Another note was written with this form before." in content
    assert f'name="request_id" value="{form["request_id"]}"' not in content
    assert [note.text for note in Note.objects.all()] == ["First"]


def test_a_form_used_by_somebody_else_or_for_another_call_writes_nothing(ana: Client, ben: Client) -> None:
    form = {"request_id": str(uuid4()), "text": "First"}
    ana.post(f"{PAGE}notes/", form)
    assert ben.post(f"{PAGE}notes/", form).status_code == 409


def test_the_form_of_a_note_that_was_changed_since_is_still_that_note(ana: Client) -> None:
    form = {"request_id": str(uuid4()), "text": "First"}
    ana.post(f"{PAGE}notes/", form)
    note = Note.objects.get()
    ana.post(f"{PAGE}notes/{note.pk}/", {"text": "Changed", "as_of": ""})
    assert Note.objects.get().text == "Changed"
    assert ana.post(f"{PAGE}notes/", form).status_code == 303
    assert ana.post(f"{PAGE}notes/", form | {"text": "Changed"}).status_code == 409


def test_two_forms_with_the_same_words_write_two(ana: Client) -> None:
    write(ana, "No answer")
    write(ana, "No answer")
    assert Note.objects.count() == 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("  \n ", "Write something first."),
        ("x" * 10_001, "A note has at most 10,000 characters; this one has 10001."),
        ("nul\x00", "Null characters are not allowed."),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_a_refused_form_keeps_what_was_typed_and_its_id(
    ana: Client, text: str, problem: str, headers: dict[str, str]
) -> None:
    request_id = uuid4()
    answer = ana.post(f"{PAGE}notes/", {"request_id": request_id, "text": text}, headers=headers)
    assert answer.status_code == 422
    content = answer.content.decode()
    assert problem in content
    assert text.strip().replace("\x00", "")[:100] in content
    assert f'name="request_id" value="{request_id}"' in content
    assert not Note.objects.exists()


def test_ten_thousand_characters_over_many_lines_are_taken(ana: Client) -> None:
    assert write(ana, "\r\n".join(["x"] * 5000)).text == "\n".join(["x"] * 5000)


def test_a_fragment_has_an_empty_form_and_the_timeline(ana: Client) -> None:
    answer = ana.post(f"{PAGE}notes/", {"request_id": uuid4(), "text": "Refund"}, headers=HTMX)
    assertContains(answer, 'id="note-form"', count=1)
    assertContains(answer, '<div id="timeline" hx-swap-oob="true">')
    assertContains(answer, "Refund", count=1)


def test_a_change_keeps_the_text_before_it(ana: Client) -> None:
    note = write(ana, "Wants a refund")
    assert change(ana, note, "Wants two refunds").status_code == 303
    note.refresh_from_db()
    assert note.text == "Wants two refunds"
    (earlier,) = EarlierText.objects.values("text", "replaced_by", "replaced_at")
    assert earlier == {
        "text": "Wants a refund",
        "replaced_by": "ana",
        "replaced_at": note.edited_at,
    }
    answer = ana.get(PAGE)
    assertContains(answer, "Wants a refund")
    assertContains(answer, "earlier text")


def test_the_same_text_again_is_no_change(ana: Client) -> None:
    note = write(ana, "Wants a refund")
    for _ in range(2):
        assert change(ana, note, "Wants two refunds").status_code == 303
    assert EarlierText.objects.count() == 1


def test_who_comes_second_sees_the_others_change_and_may_save_again(ana: Client, ben: Client) -> None:
    note = write(ana, "Wants a refund")
    change(ben, note, "Was refunded")
    answer = change(ana, note, "Wants two refunds")
    assert answer.status_code == 422
    assertContains(answer, "ben changed this note meanwhile. It now reads: “Was refunded”", status_code=422)
    assertContains(answer, "Wants two refunds</textarea>", status_code=422)
    note.refresh_from_db()
    assert note.text == "Was refunded"
    assert change(ana, note, "Wants two refunds").status_code == 303


def test_a_refused_change_keeps_what_was_typed(ana: Client) -> None:
    note = write(ana)
    answer = change(ana, note, "x" * 10_001)
    assert answer.status_code == 422
    assert "x" * 10_001 in answer.content.decode()


def test_what_is_taken_away_is_kept_with_who_took_it(ana: Client, ben: Client) -> None:
    note = write(ana, "A secret")
    assert ben.post(f"{PAGE}notes/{note.pk}/away/").status_code == 303
    answer = ana.get(PAGE)
    assertContains(answer, "ben took away what ana wrote here")
    assertNotContains(answer, "A secret")
    assert Note.objects.get().text == "A secret"


def test_it_is_put_back_as_it_was(ana: Client) -> None:
    note = write(ana, "A secret")
    ana.post(f"{PAGE}notes/{note.pk}/away/")
    assertContains(ana.post(f"{PAGE}notes/{note.pk}/back/", headers=HTMX), "A secret")
    note.refresh_from_db()
    assert (note.removed_at, note.removed_by) == (None, "")


def test_a_note_that_was_taken_away_is_not_changed(ana: Client) -> None:
    note = write(ana)
    ana.post(f"{PAGE}notes/{note.pk}/away/")
    assertContains(change(ana, note, "Else"), "ana took this note away meanwhile", status_code=422)


def test_taken_away_twice_it_stays_the_firsts(ana: Client, ben: Client) -> None:
    note = write(ana)
    ana.post(f"{PAGE}notes/{note.pk}/away/")
    ben.post(f"{PAGE}notes/{note.pk}/away/")
    assert Note.objects.get().removed_by == "ana"


@pytest.mark.parametrize("address", ["", "away/", "back/"])
def test_other_operators_leave_a_note_as_it_is(ana: Client, make_operator: Make, address: str) -> None:
    note = write(ana)
    other = Client()
    other.force_login(make_operator("kofi"))
    assert other.post(f"{PAGE}notes/{note.pk}/{address}", {"text": "Mine"}).status_code == 403
    assertNotContains(other.get(PAGE), f"notes/{note.pk}/")


def test_supervisors_change_every_note(ana: Client, ben: Client) -> None:
    note = write(ana)
    assert change(ben, note, "Better").status_code == 303
    assertContains(ben.get(PAGE), f"notes/{note.pk}/away/")


def test_a_viewer_reads_notes_and_writes_none(ana: Client, make_operator: Make) -> None:
    write(ana, "Wants a refund")
    viewer = Client()
    viewer.force_login(make_operator("viewer", Role.VIEWER))
    assertContains(viewer.get(PAGE), "Wants a refund")
    assertNotContains(viewer.get(PAGE), "Add a note")
    assert viewer.post(f"{PAGE}notes/", {"request_id": uuid4(), "text": "x"}).status_code == 403


def test_a_note_is_found_at_its_own_call_only(ana: Client) -> None:
    seen({"connection_id": "a2"})
    note = write(ana)
    assert ana.get(f"/calls/a2/notes/{note.pk}/").status_code == 404
    assert ana.post(f"/calls/a2/notes/{note.pk}/away/").status_code == 404


def test_a_note_that_came_late_stands_at_its_time(ana: Client) -> None:
    note = write(ana)
    Note.objects.update(written_at=timezone.now() - timedelta(days=9))
    assert next(iter(ana.get(PAGE).context["timeline"])).note == note
