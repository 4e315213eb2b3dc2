"""One call's page: what happened, what is beside it, and what it costs however much there is."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains, assertNotContains

from connections_app.call_page.neighbours import neighbours
from connections_app.models import (
    Callback,
    Connection,
    ConnectionEvent,
    Contact,
    EarlierText,
    Note,
    Operator,
    Role,
    Source,
    Tag,
)
from tests.factories import FRAME, seen

pytestmark = pytest.mark.django_db

Make = Callable[..., Operator]
PAGE = "/calls/a1/"
# The call, its contacts, the request it was placed by, what happened (4), how it stands, its tags, the calls
# before and after it (2).
COST = FRAME + 11


def test_one_call_with_its_timeline(signed_in: Client) -> None:
    start = {"start_time": "2026-05-10T02:28:17Z"}
    seen({"connection_id": "a1", "status": "connecting", "to": "+14155550142", "direction": "incoming"})
    seen({"connection_id": "a1", "status": "connected"} | start, source=Source.RETRIEVE)
    answer = signed_in.get(PAGE)
    assert [one.title for one in answer.context["timeline"]] == ["First seen here", "Connected"]
    assertContains(answer, "+1 415-555-0142")
    assertContains(answer, "2026-05-10 04:28:17")
    assertContains(answer, "Sift called out")


def much(count: int) -> None:
    """So many changes, callbacks and notes of one call."""
    call, now = Connection.objects.get(connection_id="a1"), timezone.now()
    numbers = range(count)
    ConnectionEvent.objects.bulk_create(
        ConnectionEvent(
            connection=call,
            change_number=n,
            source="list",
            at=now + timedelta(seconds=n),
            changes={"client_data": [None, n]},
        )
        for n in numbers
    )
    Callback.objects.bulk_create(
        Callback(
            digest=f"{n}",
            kind="status",
            connection=call,
            body={"status": "connected"},
            status=200,
            first_at=now + timedelta(seconds=n),
            last_at=now,
            milliseconds=3,
        )
        for n in numbers
    )
    notes = Note.objects.bulk_create(
        Note(
            connection=call,
            author_name="ana",
            text=f"note {n}.",
            written_at=now + timedelta(seconds=n),
            edited_at=now,
        )
        for n in numbers
    )
    EarlierText.objects.bulk_create(
        EarlierText(note=note, text="before", replaced_by="ana") for note in notes for _ in range(3)
    )


@pytest.mark.parametrize("count", [0, 1, 300])
def test_it_costs_the_same_few_queries_however_much_happened(
    signed_in: Client, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    seen({"connection_id": "a1", "to": "+14155550142", "direction": "incoming"})
    much(count)
    with django_assert_num_queries(COST + bool(count)):  # earlier texts, where there is a note
        signed_in.get(PAGE)


def test_of_a_call_with_thousands_of_entries_the_beginning_and_the_latest_are_shown(
    signed_in: Client,
) -> None:
    seen({"connection_id": "a1"})
    much(500)
    answer = signed_in.get(PAGE)
    titles = [one.title for one in answer.context["timeline"]]
    assert (titles[0], len(titles)) == ("First seen here", 201)
    assertContains(answer, "Some is left out here")
    assertContains(answer, "note 499.")
    assertNotContains(answer, "note 0.")
    whole = signed_in.get(f"{PAGE}?all=1")
    assert len(list(whole.context["timeline"])) == 1501
    assertContains(whole, "note 0.")
    assertContains(whole, f'hx-get="{PAGE}?all=1"')


def test_many_earlier_texts_are_cut_as_well(signed_in: Client) -> None:
    seen({"connection_id": "a1"})
    much(1)
    EarlierText.objects.bulk_create(
        EarlierText(note=Note.objects.get(), text=f"text {n}.", replaced_by="ana") for n in range(50)
    )
    assertContains(signed_in.get(PAGE), "text 49.")
    assertNotContains(signed_in.get(PAGE), "text 5.")
    assertContains(signed_in.get(f"{PAGE}?all=1"), "text 5.")


def with_party(*times: str, party: str = "+14155550142") -> None:
    seen(
        *(
            {
                "connection_id": f"p{n}",
                "start_time": f"2026-05-10T{time}:00Z",
                "to": party,
                "direction": "incoming",
            }
            for n, time in enumerate(times)
        )
    )


def beside(connection_id: str) -> tuple[list[str], list[str]]:
    found = neighbours(Connection.objects.get(connection_id=connection_id))
    return [one.connection_id for one in found.newer], [one.connection_id for one in found.older]


def test_the_calls_before_and_after_with_the_same_party_are_linked(signed_in: Client) -> None:
    with_party("01:00", "02:00", "03:00")
    seen({"connection_id": "other", "start_time": "2026-05-10T02:30:00Z", "to": "+14155550143"})
    answer = signed_in.get("/calls/p1/")
    assert answer.context["beside"].next.connection_id == "p2"
    assert answer.context["beside"].previous.connection_id == "p0"
    assertContains(answer, 'rel="next" id="call-after" data-key="n" href="/calls/p2/"')
    assertContains(answer, 'rel="prev" id="call-before" data-key="p" href="/calls/p0/"')


def test_the_nearest_three_on_either_side_are_listed(db: None) -> None:
    with_party(*(f"0{hour}:00" for hour in range(9)))
    assert beside("p4") == (["p5", "p6", "p7"], ["p3", "p2", "p1"])
    assert beside("p8") == ([], ["p7", "p6", "p5"])


def test_calls_of_the_same_time_have_an_order_too(db: None) -> None:
    with_party("01:00", "01:00", "01:00")
    assert beside("p1") == (["p2"], ["p0"])


def test_the_party_is_found_at_either_end_but_not_in_part(db: None) -> None:
    seen(
        {"connection_id": "a1", "from": "+1415555014", "start_time": "2026-05-10T02:00:00Z"},
        {"connection_id": "a2", "to": "+1415555014", "start_time": "2026-05-10T03:00:00Z"},
        {"connection_id": "a3", "from": "+14155550142", "start_time": "2026-05-10T04:00:00Z"},
    )
    assert beside("a1") == (["a2"], [])


def test_a_call_without_a_party_has_none_beside_it(db: None) -> None:
    seen({"connection_id": "a1"}, {"connection_id": "a2"})
    assert beside("a1") == ([], [])


@pytest.mark.parametrize(("role", "may"), [(Role.SUPERVISOR, True), (Role.VIEWER, False)])
@pytest.mark.parametrize("status", ["connected", "finished", "failed"])
def test_any_call_can_be_refreshed_by_a_person_who_may_steer_it(
    client: Client, make_operator: Make, role: Role, may: bool, status: str
) -> None:
    seen({"connection_id": "a1", "status": status})
    client.force_login(make_operator(role=role))
    assert ("Check with Sift" in client.get(PAGE).content.decode()) is may


def test_the_fragment_has_no_form_for_notes_and_the_page_has(client: Client, make_operator: Make) -> None:
    seen({"connection_id": "a1"})
    client.force_login(make_operator())
    assertContains(client.get(PAGE), 'id="note-form"')
    fragment: Any = client.get(PAGE, headers={"HX-Request": "true"})
    assertNotContains(fragment, 'id="note-form"')
    assertContains(fragment, 'id="timeline"')


def test_numbers_have_their_names_and_can_be_named(client: Client, make_operator: Make) -> None:
    Contact.objects.create(endpoint="+14155550142", name="Kofi Mensah")
    seen({"connection_id": "a1", "to": "+14155550142", "from": "+14155550143", "direction": "incoming"})
    client.force_login(make_operator())
    answer = client.get(PAGE)
    assert answer.context["call"].contacts["+14155550142"].name == "Kofi Mensah"


def test_tags_are_in_order_of_their_names(signed_in: Client) -> None:
    seen({"connection_id": "a1"})
    call = Connection.objects.get()
    for name in ("b", "A", "c"):
        tag = Tag.objects.create(name=name, made_by="ben")
        tag.call_tags.create(connection=call, at=call.at, tagged_by="ben")
    assert [tag.name for tag in signed_in.get(PAGE).context["tags"]] == ["A", "b", "c"]
