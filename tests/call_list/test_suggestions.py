"""What the search box offers while a person types: quickly, honestly, and never more than one may do."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction
from django.test import Client
from pytest_django.asserts import assertContains, assertNotContains

from connections_app.call_list import suggestions
from connections_app.call_list.filters import calls_with
from connections_app.call_list.suggestions import Marked, Suggested, marked
from connections_app.models import Connection, Contact, Operator, Role
from tests.factories import many, seen

# One kind for the whole file: those that empty the tables must come after all others.
pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Make = Callable[..., Operator]


def offered(client: Client, typed: str) -> Suggested:
    answer = client.get("/calls/search/", {"q": typed}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    suggested: Suggested = answer.context["suggested"]
    return suggested


def ids(suggested: Suggested) -> list[str]:
    return [one.call.connection_id for one in suggested.calls]


def test_the_eight_newest_calls_are_offered(signed_in: Client) -> None:
    many(30)
    assert ids(offered(signed_in, "415 555")) == [f"c{n:04}" for n in (29, 28, 26, 25, 23, 22, 20, 19)]


@pytest.mark.parametrize(
    ("typed", "name", "where", "also"),
    [
        ("(415) 555-01", Marked("+1 ", "415-555-01", "42"), "", None),
        ("+14155", Marked("", "+1 415-5", "55-0142"), "", None),
        ("ANA", Marked("+1 415-555-0142"), "to", Marked("", "ana")),
        ("007F3A", Marked("+1 415-555-0142"), "id", Marked("", "007f3a", "22")),
    ],
)
def test_it_shows_where_a_call_has_what_was_typed(
    signed_in: Client, typed: str, name: Marked, where: str, also: Marked | None
) -> None:
    seen(
        {
            "connection_id": "007f3a22",
            "from": "+14155550142",
            "to": "webrtc:ana",
            "direction": "outgoing",
            "start_time": "2026-05-10T02:28:17Z",
        }
    )
    (one,) = offered(signed_in, typed).calls
    assert (one.name, one.where, one.also) == (name, where, also)


def test_a_call_is_offered_as_people_read_it(signed_in: Client) -> None:
    seen({"connection_id": "a-1", "status": "failed", "to": "+442079460018"})
    answer = signed_in.get("/calls/search/", {"q": "7946"})
    assertContains(answer, "+44 20 <mark>7946</mark> 0018")
    assertContains(answer, "Failed")
    assertContains(answer, "<time")
    assertContains(answer, 'href="/calls/a-1/"')


@pytest.mark.parametrize("typed", ["", "   "])
def test_nothing_typed_offers_nothing(signed_in: Client, typed: str) -> None:
    assert offered(signed_in, typed) == Suggested("", [])


@pytest.mark.parametrize("typed", ["4", "41", "+1", "an", "4 - 1"])
def test_too_little_says_to_type_on(signed_in: Client, typed: str) -> None:
    seen({"connection_id": "a41", "from": "+14155550142", "to": "webrtc:ana"})
    assert offered(signed_in, typed) == Suggested(typed, [], suggestions.TYPE_ON)


def test_a_short_name_is_found_when_it_is_whole(signed_in: Client) -> None:
    seen(
        {"connection_id": "a1", "to": "webrtc:Al"},
        {"connection_id": "a2", "to": "webrtc:alma"},
        {"connection_id": "a3", "from": "webrtc:al", "to": "+14155550142"},
        {"connection_id": "a4", "from": "webrtc:val"},
    )
    assert {*ids(offered(signed_in, "al"))} == {"a1", "a3"}


def test_nothing_found_says_so(signed_in: Client) -> None:
    seen({"connection_id": "a1"})
    found = offered(signed_in, "zzz")
    assert (found.calls, found.lists) == ([], False)
    assert found.words == "No call has “zzz” in a number, a name or its id."


@pytest.mark.parametrize("typed", ["\x00abc", "x" * 201])
def test_what_cannot_be_searched_says_why(signed_in: Client, typed: str) -> None:
    found = offered(signed_in, typed)
    assert found.calls == []
    assert found.words


@pytest.mark.parametrize("typed", ["a%1", "a_1", "a\\1", "'a\"1"])
def test_signs_stand_for_themselves(signed_in: Client, typed: str) -> None:
    seen({"connection_id": "axx1"}, {"connection_id": "a11"})
    assert offered(signed_in, typed).calls == []


@pytest.mark.parametrize(
    ("typed", "whom"),
    [
        ("(415) 555-0142", "+14155550142"),
        ("+44 20 7946 0018", "+442079460018"),
        ("415 555", None),
        ("5550142", None),
        ("ana", None),
    ],
)
def test_a_whole_number_may_be_called(client: Client, make_operator: Make, typed: str, whom: str) -> None:
    client.force_login(make_operator(role=Role.OPERATOR))
    dials = offered(client, typed).dials
    assert (dials.e164 if dials else None) == whom


def test_a_number_belongs_to_the_persons_country(client: Client, make_operator: Make) -> None:
    client.force_login(make_operator(role=Role.OPERATOR, country="GB"))
    answer = client.get("/calls/search/", {"q": "020 7946 0018"})
    assertContains(answer, 'href="/calls/place/?number=%2B442079460018"')
    assertContains(answer, "Call +44 20 7946 0018")


def test_who_may_not_place_calls_is_not_offered_to(signed_in: Client) -> None:
    seen({"connection_id": "a1", "to": "+14155550142"})
    assertNotContains(signed_in.get("/calls/search/", {"q": "+14155550142"}), "/calls/place/")


def test_the_last_offer_is_the_whole_list(signed_in: Client) -> None:
    seen({"connection_id": "a&b", "to": "webrtc:a&b"})
    assertContains(signed_in.get("/calls/search/", {"q": "a&b"}), 'href="/calls/?q=a%26b"')


def test_a_call_whose_id_is_search_has_its_page(signed_in: Client) -> None:
    assert signed_in.get("/calls/search/").status_code == 404
    seen({"connection_id": "search", "to": "+14155550142"})
    one = Connection.objects.get()
    assertContains(signed_in.get(one.get_absolute_url()), "+1 415-555-0142")
    polled = signed_in.get(one.get_absolute_url(), headers={"HX-Request": "true"})
    assertContains(polled, 'id="call"')


def test_somebody_signed_out_is_led_to_sign_in_and_back(client: Client) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/sync/"}
    answer = client.get("/calls/search/", {"q": "415"}, headers=headers)
    assert answer["HX-Redirect"] == "/accounts/login/?next=/sync/"


@contextmanager
def table_locked() -> Iterator[None]:
    """Somebody else holds the table of calls, so that no search ends in time."""
    other = database.copy()
    with other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("LOCK TABLE connections_app_connection IN ACCESS EXCLUSIVE MODE")
        yield
        cursor.execute("ROLLBACK")
    other.close()


def test_a_slow_search_says_so_instead_of_making_a_person_wait(client: Client, make_operator: Make) -> None:
    client.force_login(make_operator(role=Role.OPERATOR))
    with table_locked():
        found = offered(client, "+14155550142")
    assert (found.calls, found.words) == ([], suggestions.TOO_MANY)
    assert found.lists
    assert found.dials


@pytest.mark.parametrize("typed", ["0142", "007f3a", "ab"])
def test_searching_goes_by_the_indexes(typed: str) -> None:
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan: Any = Connection.objects.filter(calls_with(typed, "US")).explain()
    assert "Bitmap Index Scan on connection_ends" in plan
    assert "Bitmap Index Scan on connection_id_once" in plan
    assert plan.count("Scan on") == plan.count("Index Scan on") + 1


def test_a_number_is_marked_only_where_its_digits_stand_together() -> None:
    assert marked("a4b1c5", "415") == Marked("a4b1c5")
    assert marked("agent415", "415") == Marked("agent", "415")


def test_a_call_is_found_by_what_a_contact_calls_its_number(signed_in: Client) -> None:
    seen({"connection_id": "a1", "to": "+14155550142"}, {"connection_id": "a2", "to": "+14155550143"})
    Contact.objects.create(endpoint="+14155550142", name="Grace Hopper", changed_by="ben")
    (one,) = offered(signed_in, "hopp").calls
    assert (one.call.connection_id, one.name) == ("a1", Marked("Grace ", "Hopp", "er"))
    (one,) = offered(signed_in, "550142").calls
    assert (one.name, one.where, one.also) == (Marked("Grace Hopper"), "", Marked("+1 415-5", "55-0142"))
