"""`/contacts/`: by name, page by page, found by any part of a name, a number or a client."""

from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains, assertNotContains

from connections_app.calls.contact_lookup import matching
from connections_app.models import Contact
from tests.contacts.conftest import made
from tests.factories import FRAME

pytestmark = pytest.mark.django_db


def many(count: int) -> None:
    Contact.objects.bulk_create(
        # Names are met in both cases, and some more than once.
        Contact(
            name=f"{'Name' if n % 2 else 'name'} {n // 3:03}", endpoint=f"+1415555{n:04}", changed_by="ben"
        )
        for n in range(count)
    )


def names(answer: Any) -> list[str]:
    return [contact.name for contact, _ in answer.context["rows"]]


def walked(client: Client, address: str, rel: str) -> list[list[int]]:
    """The ids on each page from `address` on."""
    pages = []
    following: str | None = address
    while following is not None:
        answer = client.get(f"/contacts/{following}")
        pages.append([contact.pk for contact, _ in answer.context["rows"]])
        following = getattr(answer.context["page"], f"{rel}_url")
    return pages


def test_an_empty_list_offers_the_next_step(olga: Client) -> None:
    answer = olga.get("/contacts/")
    assertContains(answer, "No contacts yet")
    assertContains(answer, "/contacts/new/")


def test_who_may_only_look_is_offered_nothing_to_do(signed_in: Client) -> None:
    made()
    answer = signed_in.get("/contacts/")
    assertContains(answer, "Ana Lima")
    for address in ("/contacts/new/", "/contacts/import/", "/contacts/export/", "/calls/place/"):
        assertNotContains(answer, address)


def test_pages_hold_every_contact_once_in_the_order_of_names(signed_in: Client) -> None:
    many(120)
    forwards = walked(signed_in, "", "next")
    assert [len(page) for page in forwards] == [50, 50, 20]
    keys = [pk for page in forwards for pk in page]
    by_name = Contact.objects.in_bulk()
    assert keys == sorted(keys, key=lambda pk: (by_name[pk].name.lower(), pk))
    assert set(keys) == set(by_name)


def test_pages_lead_back_the_way_they_came(signed_in: Client) -> None:
    many(120)
    last = signed_in.get("/contacts/").context["page"].next_url
    last = signed_in.get(f"/contacts/{last}").context["page"].next_url
    assert walked(signed_in, last, "previous") == walked(signed_in, "", "next")[::-1]


def test_a_page_costs_the_same_few_queries(
    signed_in: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    many(120)
    after = signed_in.get("/contacts/").context["page"].next_url
    with django_assert_num_queries(FRAME + 2):  # the rows, the count
        signed_in.get(f"/contacts/{after}&q=name")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=lim", ["Ana Lima"]),
        ("q=ANA", ["Ana Lima", "Office"]),
        ("q=(415) 555-01", ["Ana Lima"]),
        ("q=%2B1415", ["Ana Lima"]),
        ("q=webrtc:an", ["Office"]),
        ("q=rtc", []),
        ("q=100%25", ["100% Pizza"]),
        ("q=_", []),
        ("do_not_call=1", ["100% Pizza"]),
        ("q=ana&do_not_call=1", []),
    ],
)
def test_contacts_are_found_by_any_part(signed_in: Client, query: str, expected: list[str]) -> None:
    made("Ana Lima", "+14155550142")
    made("Office", "webrtc:anabel")
    made("100% Pizza", "+442079460018", do_not_call=True)
    assert names(signed_in.get(f"/contacts/?{query}")) == expected


def test_nothing_found_says_what_to_loosen(signed_in: Client) -> None:
    made()
    answer = signed_in.get("/contacts/?q=zzz&do_not_call=1")
    assertContains(answer, "has “zzz” in its name")
    assertContains(answer, 'href="?q=zzz"')


@pytest.mark.parametrize(
    "query",
    [
        *("after=x", "after=1", "after=-1:a", "after=99999999999999999999:a", "before=1:%00"),
        *("q=%00", "q=" + "x" * 300, "q=%ED%A0%80", f"after=1:{'x' * 5000}"),
        *("deleted=x", "deleted=999999999999999999999", "deleted=%00"),
    ],
)
def test_what_cannot_be_understood_breaks_nothing(signed_in: Client, query: str) -> None:
    made()
    assert signed_in.get(f"/contacts/?{query}").status_code == 200


def test_names_are_text(signed_in: Client) -> None:
    made("<b>Ana</b>", notes="<script>")
    answer = signed_in.get("/contacts/")
    assertContains(answer, "&lt;b&gt;Ana")
    assertContains(answer, "&lt;script&gt;")


@pytest.mark.parametrize("typed", ["lima", "555-0142", "webrtc:ana"])
def test_searching_goes_by_the_index(typed: str) -> None:
    with database.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan: Any = matching(typed).order_by().explain()
    assert "contact_searched" in plan


def test_a_page_deep_in_the_list_begins_at_its_place(signed_in: Client) -> None:
    from connections_app.contacts.listing import Place, _beyond

    with database.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
    for upwards in (False, True):
        plan: Any = _beyond(matching(""), Place("name", 7), upwards=upwards)[:51].explain()
        assert "contact_order" in plan
        assert "Index Cond: (ROW(lower" in plan
