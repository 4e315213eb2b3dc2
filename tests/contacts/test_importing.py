"""Importing shows first what it would do, and then does exactly that: all of it, once."""

from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains, assertNotContains

from connections_app.contacts import importing
from connections_app.models import Action, Contact, ContactImport, Operator, Role
from tests.contacts.conftest import ANA, made
from tests.factories import FRAME

pytestmark = pytest.mark.django_db

FILE = """number,name,notes,do_not_call
(415) 555-0142,Ana Lima,,
+14155550143,Kofi Mensah,Prefers mail,yes
415-555-0143,,,
12,Bad,,
+14155550144,Ben,,
"""


def uploaded(client: Client, content: str | bytes = FILE, name: str = "people.csv") -> Any:
    data = content.encode() if isinstance(content, str) else content
    return client.post("/contacts/import/", {"file": SimpleUploadedFile(name, data)})


def dry_run(client: Client, content: str = FILE) -> Any:
    """The page that says what a file would do."""
    answer = uploaded(client, content)
    assert answer.status_code == 303
    return client.get(answer["Location"])


def carry_out(client: Client, page: Any) -> Any:
    return client.post(page.request["PATH_INFO"], {"plan": page.context["plan"].digest})


def all_contacts() -> list[tuple[Any, ...]]:
    rows = Contact.objects.order_by("endpoint")
    return list(rows.values_list("endpoint", "name", "notes", "do_not_call", "revision", "changed_by"))


def test_a_dry_run_says_what_would_change_and_changes_nothing(sam: Client) -> None:
    made("Old", "+14155550144")
    made("Ana Lima", ANA)
    before = all_contacts()
    page = dry_run(sam)
    plan = page.context["plan"]
    assert [len(plan.new), len(plan.changed), plan.same, len(plan.bad)] == [1, 1, 1, 1]
    assert page.context["imported"].merged == 1
    for words in ("it is too short", "Kofi Mensah", "Import 2 contacts", "Old", "people.csv"):
        assertContains(page, words)
    assert all_contacts() == before
    assert not Action.objects.exists()


def test_then_exactly_that_is_done(sam: Client) -> None:
    made("Old", "+14155550144", notes="Kept")
    made("Ana Lima", ANA)
    answer = carry_out(sam, dry_run(sam))
    assert answer.status_code == 303
    assert all_contacts() == [
        (ANA, "Ana Lima", "", False, 1, "ben"),
        ("+14155550143", "Kofi Mensah", "Prefers mail", True, 1, "sam"),
        ("+14155550144", "Ben", "Kept", False, 2, "sam"),
    ]
    assertContains(sam.get(answer["Location"]), "Contacts imported")


def test_it_is_on_record_with_every_mark(sam: Client) -> None:
    carry_out(sam, dry_run(sam))
    (done,) = Action.objects.filter(verb="import_contacts")
    assert (done.actor, done.outcome) == ("sam", "Added 3 and changed 0 contacts.")
    kofi = Contact.objects.get(name="Kofi Mensah")
    marked = Action.objects.get(verb="contact")
    assert (marked.subject, marked.outcome) == (f"contact {kofi.pk}", "Marked “do not call” by an import.")


def test_a_second_click_does_nothing(sam: Client) -> None:
    page = dry_run(sam)
    first, second = carry_out(sam, page), carry_out(sam, page)
    assert first["Location"] == second["Location"]
    assert Action.objects.filter(verb="import_contacts").count() == 1
    assert {row[4] for row in all_contacts()} == {1}


def test_what_changed_meanwhile_is_shown_before_anything_is_done(sam: Client) -> None:
    ana = made("Ana", ANA)
    page = dry_run(sam)
    Contact.objects.filter(pk=ana.pk).update(name="Theirs", revision=2)
    answer = carry_out(sam, page)
    assertContains(answer, "Contacts were changed meanwhile", status_code=409)
    assertContains(answer, "Theirs", status_code=409)
    assert Contact.objects.get().name == "Theirs"
    assert answer.request["PATH_INFO"] == page.request["PATH_INFO"]
    assert carry_out(sam, answer).status_code == 303
    assert Contact.objects.get(pk=ana.pk).name == "Ana Lima"


def test_a_change_that_does_not_matter_does_not_hinder(sam: Client) -> None:
    page = dry_run(sam)
    made("Other", "webrtc:other")
    assert carry_out(sam, page).status_code == 303


@pytest.mark.parametrize("plan", ["", "x", "\x00"])
def test_nothing_is_done_that_was_not_shown(sam: Client, plan: str) -> None:
    page = dry_run(sam)
    assert sam.post(page.request["PATH_INFO"], {"plan": plan}).status_code == 409
    assert not Contact.objects.exists()


def test_all_or_nothing(sam: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    made("Old", "+14155550144")
    page = dry_run(sam)
    before = all_contacts()

    def fails(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(importing, "_record_marks", fails)
    with pytest.raises(RuntimeError):
        carry_out(sam, page)
    assert all_contacts() == before
    assert ContactImport.objects.get().done_at is None


def test_an_empty_cell_changes_nothing(sam: Client) -> None:
    made("Ana", ANA, notes="Kept", do_not_call=True)
    page = dry_run(sam, f"endpoint,name,notes,do_not_call\n{ANA},,Newer,\n")
    carry_out(sam, page)
    assert all_contacts() == [(ANA, "Ana", "Newer", True, 2, "sam")]


def test_a_mark_is_taken_away_only_where_the_file_says_so(sam: Client) -> None:
    made("Ana", ANA, do_not_call=True)
    page = dry_run(sam, f"endpoint,name,do_not_call\n{ANA},Ana,no\n")
    assertContains(page, "1 will lose the mark")
    carry_out(sam, page)
    assert not Contact.objects.get().do_not_call
    assert Action.objects.get(verb="contact").outcome.startswith("Took the mark")


def test_who_may_not_take_marks_away_cannot_by_a_file(sam: Client, supervisor: Operator) -> None:
    group = supervisor.groups.get()
    group.permissions.remove(group.permissions.get(codename="allow_calling"))
    made("Ana", ANA, do_not_call=True)
    page = dry_run(sam, f"endpoint,name,do_not_call\n{ANA},Anna,no\n")
    assertContains(page, "which you may not")
    assertNotContains(page, "Import 1")


def test_a_file_is_its_owners(sam: Client, make_operator: Any) -> None:
    page = dry_run(sam)
    sam.force_login(make_operator("rosa", Role.SUPERVISOR))
    address = page.request["PATH_INFO"]
    assert sam.get(address).status_code == 404
    assert sam.post(address, {"plan": page.context["plan"].digest}).status_code == 404
    assert not Contact.objects.exists()


def test_a_file_that_was_not_imported_goes_with_the_next(sam: Client) -> None:
    first, second = dry_run(sam), dry_run(sam)
    assert sam.get(first.request["PATH_INFO"]).status_code == 404
    assert ContactImport.objects.get().pk == UUID(second.request["PATH_INFO"].split("/")[3])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty."),
        (b"a,b\n", "names no column"),
        (b"\xff\xfe", "not UTF-8"),
        (b"number,name\n" + b"x" * (5 * 2**20), "larger than 5 MB"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(sam: Client, content: bytes, words: str) -> None:
    answer = uploaded(sam, content)
    assertContains(answer, words, status_code=422)
    assert not ContactImport.objects.exists()


def test_no_file_says_to_choose_one(sam: Client) -> None:
    assertContains(sam.post("/contacts/import/"), "Choose a file.", status_code=422)
    assertContains(sam.post("/contacts/import/", {"file": "x"}), "Choose a file.", status_code=422)


def test_what_is_hostile_in_a_file_is_text(sam: Client) -> None:
    content = "number,name,<b>\n+14155550142,<script>x</script>,\n<i>12,a\x00b,\n"
    answer = uploaded(sam, content, name="<img>.csv")
    page = sam.get(answer["Location"]).content.decode()
    for tag in ("<script>x", "<i>", "<img>", "<code><b>"):
        assert tag not in page
    assert carry_out(sam, sam.get(answer["Location"])).status_code == 303
    assert Contact.objects.get().name == "<script>x</script>"


def test_many_lines_cost_few_queries(sam: Client, django_assert_max_num_queries: Any) -> None:
    lines = "".join(f"+1415{n:07},Name {n}\n" for n in range(2_000_000, 2_005_000))
    page = dry_run(sam, f"number,name\n{lines}")
    with django_assert_max_num_queries(30):
        assert carry_out(sam, page).status_code == 303
    assert Contact.objects.count() == 5_000


def test_the_pages_cost_few_queries(sam: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    page = dry_run(sam)
    with django_assert_num_queries(FRAME):
        sam.get("/contacts/import/")
    with django_assert_num_queries(FRAME + 2):  # the file, the contacts in it
        sam.get(page.request["PATH_INFO"])
    carry_out(sam, page)
    with django_assert_num_queries(FRAME + 1):
        sam.get(page.request["PATH_INFO"])
