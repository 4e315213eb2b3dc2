"""Adding, changing and deleting contacts: once, on record, and never over somebody's head."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains, assertNotContains

from connections_app.models import Action, Contact
from tests.contacts.conftest import ANA, made, typed
from tests.factories import FRAME

pytestmark = pytest.mark.django_db

HTML = "<b>x</b>"


def told() -> list[tuple[str, str]]:
    return list(Action.objects.filter(verb="contact").order_by("id").values_list("actor", "outcome"))


def controls(answer: Any) -> dict[str, Any]:
    """What the form on a page of both would send."""
    mine, theirs = answer.context["mine"], answer.context["theirs"]
    sent = typed(
        endpoint=mine.endpoint,
        name=mine.name,
        notes=mine.notes,
        revision=theirs.revision if theirs else 0,
    )
    return sent | ({"do_not_call": "on"} if mine.do_not_call else {})


def test_a_number_as_people_write_it_gets_a_name(olga: Client) -> None:
    answer = olga.post("/contacts/new/", typed(endpoint="(415) 555-0142", name=" Ana   Lima "))
    contact = Contact.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, contact.get_absolute_url())
    assert (contact.endpoint, contact.name, contact.changed_by) == (ANA, "Ana Lima", "olga")
    assert told() == [("olga", "Added.")]


def test_a_number_belongs_to_the_persons_country(client: Client, make_operator: Any) -> None:
    client.force_login(make_operator(country="GB"))
    client.post("/contacts/new/", typed(endpoint="020 7946 0018"))
    assert Contact.objects.get().endpoint == "+442079460018"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"endpoint": ""}, "Whose name is this?"),
        ({"endpoint": "12"}, "it is too short"),
        ({"endpoint": "\x00"}, "Null characters"),
        ({"endpoint": "x" * 1_000_000}, "too long"),
        ({"name": ""}, "Give it a name or notes, or mark it."),
        ({"name": "\x00"}, "Null characters"),
        ({"name": "x" * 201}, "at most 200"),
        ({"name": "a\x07b"}, "not text"),
        ({"notes": "x" * 1_000_000}, "at most 10,000"),
        ({"notes": "a\x1bb"}, "not text"),
        ({"revision": "9" * 30}, "less than or equal"),
    ],
)
def test_a_form_that_is_wrong_says_why_and_keeps_what_was_typed(
    olga: Client, fields: dict[str, Any], words: str
) -> None:
    contact = made(endpoint="webrtc:ben")
    for address in ("/contacts/new/", contact.get_absolute_url()):
        answer = olga.post(address, typed(name=HTML) | fields)
        assert answer.status_code == 422
        page = answer.content.decode()
        assert words in page
        assert HTML not in page
    assert Contact.objects.get().revision == 1
    assert told() == []


def test_lone_surrogates_are_replaced(olga: Client) -> None:
    body = b"endpoint=ana&name=x%ED%A0%80y"
    olga.post("/contacts/new/", body, content_type="application/x-www-form-urlencoded")
    assert "\N{REPLACEMENT CHARACTER}" in Contact.objects.get().name


@pytest.mark.parametrize("endpoint", ["+1 415 555 0142", "tel:+1-415-555-0142", "4155550142"])
def test_two_spellings_of_a_number_are_one_contact(olga: Client, endpoint: str) -> None:
    contact = made()
    answer = olga.post("/contacts/new/", typed(endpoint=endpoint))
    assert answer["Location"] == contact.get_absolute_url()
    assert Contact.objects.get().revision == 1


def test_a_clients_name_is_the_same_in_capital_letters(olga: Client) -> None:
    contact = made("Ana", "webrtc:Ana")
    answer = olga.post("/contacts/new/", typed(endpoint="aNA", name="Ana"))
    assert answer["Location"] == contact.get_absolute_url()


def test_a_second_click_adds_no_second_contact(olga: Client) -> None:
    first = olga.post("/contacts/new/", typed())
    second = olga.post("/contacts/new/", typed())
    assert first["Location"] == second["Location"]
    assert told() == [("olga", "Added.")]


def test_what_exists_under_another_name_is_shown_beside_what_was_typed(olga: Client) -> None:
    contact = made("Ana Lima", notes="Theirs")
    answer = olga.post("/contacts/new/", typed(name="Anna", notes=HTML))
    assert answer.status_code == 409
    assertContains(answer, "already", status_code=409)
    assertContains(answer, "Theirs", status_code=409)
    assertNotContains(answer, HTML, status_code=409)
    assert olga.post(contact.get_absolute_url(), controls(answer)).status_code == 303
    contact.refresh_from_db()
    assert (contact.name, contact.notes) == ("Anna", HTML)


def test_a_change_is_saved_and_recorded(olga: Client) -> None:
    contact = made()
    olga.post(
        contact.get_absolute_url(), typed(contact, name="Ana Luz", notes="Prefers mail", do_not_call="on")
    )
    contact.refresh_from_db()
    assert (contact.name, contact.notes, contact.do_not_call) == ("Ana Luz", "Prefers mail", True)
    assert (contact.revision, contact.changed_by) == (2, "olga")
    words = "Renamed from “Ana Lima” to “Ana Luz”. Changed the notes. Marked “do not call”."
    assert told() == [("olga", words)]
    assertContains(olga.get(contact.get_absolute_url()), "Marked “do not call”.")


def test_saving_the_same_again_changes_nothing(olga: Client) -> None:
    contact = made()
    sent = typed(contact, name="Ana Luz")
    for _ in range(2):
        assert olga.post(contact.get_absolute_url(), sent).status_code == 303
    contact.refresh_from_db()
    assert contact.revision == 2
    assert len(told()) == 1


def test_saving_over_a_newer_version_shows_both(olga: Client) -> None:
    contact = made()
    opened = typed(contact, name="Mine", notes=HTML)
    Contact.objects.update(name="Theirs", revision=2)
    answer = olga.post(contact.get_absolute_url(), opened)
    assert answer.status_code == 409
    for words in ("ben changed this contact", "Mine", "Theirs", "&lt;b&gt;x"):
        assertContains(answer, words, status_code=409)
    contact.refresh_from_db()
    assert (contact.name, contact.revision) == ("Theirs", 2)
    assert olga.post(contact.get_absolute_url(), controls(answer)).status_code == 303
    contact.refresh_from_db()
    assert (contact.name, contact.notes, contact.revision) == ("Mine", HTML, 3)


def test_a_third_who_is_faster_still_is_seen_too(olga: Client) -> None:
    contact = made()
    opened = typed(contact, name="Mine")
    Contact.objects.update(name="Theirs", revision=2)
    again = controls(olga.post(contact.get_absolute_url(), opened))
    Contact.objects.update(name="A third", revision=3)
    assert olga.post(contact.get_absolute_url(), again).status_code == 409


def test_what_was_deleted_meanwhile_can_be_added_again(olga: Client) -> None:
    contact = made()
    opened = typed(contact, name="Mine")
    contact.delete()
    answer = olga.post(f"/contacts/{opened['revision']}000/", opened)
    assertContains(answer, "was deleted while you wrote", status_code=409)
    olga.post("/contacts/new/", controls(answer))
    assert Contact.objects.get().name == "Mine"


def test_a_number_that_another_contact_has_is_not_taken(olga: Client) -> None:
    other, contact = made("Ben", "webrtc:ben"), made()
    answer = olga.post(contact.get_absolute_url(), typed(contact, endpoint="BEN"))
    assert answer.status_code == 409
    assert answer.context["theirs"] == other
    contact.refresh_from_db()
    assert contact.endpoint == ANA


def test_an_operator_marks_and_a_supervisor_takes_the_mark_away(
    client: Client, operator: Any, supervisor: Any
) -> None:
    contact = made()
    client.force_login(operator)
    client.post(contact.get_absolute_url(), typed(contact, do_not_call="on"))
    contact.refresh_from_db()
    assertContains(client.get(contact.get_absolute_url()), "A supervisor may take this mark away.")
    client.post(contact.get_absolute_url(), typed(contact, name="Ana Luz") | {"do_not_call": ""})
    contact.refresh_from_db()
    assert (contact.name, contact.do_not_call) == ("Ana Luz", True)
    client.force_login(supervisor)
    client.post(contact.get_absolute_url(), typed(contact) | {"do_not_call": ""})
    contact.refresh_from_db()
    assert not contact.do_not_call
    assert told()[-1] == ("sam", "Took the mark “do not call” away.")


def test_an_operator_cannot_lose_a_mark_by_another_number_or_by_deleting(olga: Client) -> None:
    contact = made(do_not_call=True)
    moved = olga.post(contact.get_absolute_url(), typed(contact, endpoint="ben"))
    assert moved.status_code == 403
    assertContains(olga.get(f"/contacts/{contact.pk}/delete/"), "a supervisor may delete it")
    assert olga.post(f"/contacts/{contact.pk}/delete/", {"revision": 1}).status_code == 403
    contact.refresh_from_db()
    assert (contact.endpoint, contact.do_not_call) == (ANA, True)
    assert told() == []


def test_deleting_needs_a_confirmation_and_can_be_undone(olga: Client) -> None:
    contact = made(notes="Of old")
    assertContains(olga.get(f"/contacts/{contact.pk}/delete/"), "Ana Lima")
    assert Contact.objects.exists()
    answer = olga.post(f"/contacts/{contact.pk}/delete/", {"revision": 1})
    assert answer.status_code == 303
    assert not Contact.objects.exists()
    page = olga.get(answer["Location"])
    assertContains(page, "Ana Lima is deleted")
    key = page.context["deleted"][0]
    first = olga.post("/contacts/put-back/", {"deleted": key})
    back = Contact.objects.get()
    assert (back.endpoint, back.name, back.notes, first["Location"]) == (
        *(ANA, "Ana Lima", "Of old"),
        back.get_absolute_url(),
    )
    second = olga.post("/contacts/put-back/", {"deleted": key})
    assert second["Location"] == "/contacts/"
    assert Contact.objects.count() == 1
    assert [outcome for _, outcome in told()] == ["Deleted.", "Added."]


def test_a_second_click_on_delete_does_no_harm(olga: Client) -> None:
    contact = made()
    for _ in range(2):
        assert olga.post(f"/contacts/{contact.pk}/delete/", {"revision": 1}).status_code == 303
    assert len(told()) == 1


def test_what_was_changed_meanwhile_is_not_deleted_unseen(olga: Client) -> None:
    contact = made()
    Contact.objects.update(name="Newer", revision=2)
    answer = olga.post(f"/contacts/{contact.pk}/delete/", {"revision": 1})
    assertContains(answer, "ben changed it", status_code=409)
    assert Contact.objects.exists()


@pytest.mark.parametrize("key", ["", "x", "1", "99999999999999999999999", "\x00"])
def test_nothing_is_put_back_that_was_not_deleted(olga: Client, key: str) -> None:
    assert olga.post("/contacts/put-back/", {"deleted": key}).status_code == 303
    assert not Contact.objects.exists()


def test_a_number_leads_to_its_contact_or_to_the_form_that_adds_one(olga: Client) -> None:
    answer = olga.get("/contacts/for/", {"endpoint": ANA}, follow=True)
    assertContains(answer, f'value="{ANA}"')
    contact = made("Ana", "webrtc:ana")
    answer = olga.get("/contacts/for/", {"endpoint": "webrtc:ANA"})
    assert answer["Location"] == contact.get_absolute_url()


@pytest.mark.parametrize("endpoint", ["\x00", "x" * 5000, "", "a&b=c", "%ff"])
def test_an_odd_number_leads_to_the_form(olga: Client, endpoint: str) -> None:
    assert olga.get("/contacts/for/", {"endpoint": endpoint}, follow=True).status_code == 200


def test_a_contact_leads_to_its_calls(olga: Client) -> None:
    assertContains(olga.get(made().get_absolute_url()), 'href="/calls/?q=%2B14155550142"')


def test_who_may_only_look_sees_the_contact_without_a_form(signed_in: Client) -> None:
    contact = made(notes="Prefers mail")
    answer = signed_in.get(contact.get_absolute_url())
    assertContains(answer, "Prefers mail")
    assertNotContains(answer, "Save")
    for address in (contact.get_absolute_url(), f"/contacts/{contact.pk}/delete/", "/contacts/new/"):
        assert signed_in.post(address, typed(contact, name="Other")).status_code == 403
    contact.refresh_from_db()
    assert contact.name == "Ana Lima"


def test_pages_cost_few_queries(olga: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    contact = made()
    with django_assert_num_queries(FRAME + 2):  # the contact, its changes
        olga.get(contact.get_absolute_url())
    with django_assert_num_queries(FRAME):
        olga.get("/contacts/new/")
    with django_assert_num_queries(FRAME + 1):
        olga.get(f"/contacts/{contact.pk}/delete/")


def test_a_contact_that_is_not_there_is_not_found(olga: Client) -> None:
    for address in ("/contacts/7/", "/contacts/7/delete/", f"/contacts/{'9' * 30}/"):
        assert olga.get(address).status_code == 404
