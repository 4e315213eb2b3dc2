"""The admin's lists of what grows without end: by keyset pages, neither counted nor skipped over."""

import re
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.admin.views.main import PAGE_VAR
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains, assertNotContains

from connections_app.admin import read_only
from connections_app.admin.read_only import ReadOnlyAdmin
from connections_app.call_list.time_limits import TooSlow
from connections_app.models import Action, Callback, CallRequest, Connection, Contact, Walk
from tests.factories import many, seen

pytestmark = pytest.mark.django_db

CALLS = "/admin/connections_app/connection/"
READ_ONLY = [model for model, known in site._registry.items() if isinstance(known, ReadOnlyAdmin)]
# Session, person, rights (2); the rows, within a time, which takes three more. A search reads contacts too.
QUERIES = 4 + 4
COUNTS_OR_SKIPS = re.compile(r"\bcount\s*\(|\boffset\b", re.IGNORECASE)


def shown(answer: Any) -> list[str]:
    return [str(row) for row in answer.context["cl"].result_list]


def link(answer: Any, rel: str) -> str | None:
    found = re.search(rf'<a href="([^"]*)" rel="{rel}"', answer.content.decode())
    return found and found[1].replace("&amp;", "&")


def pages(admin: Client, address: str, start: str, rel: str) -> list[list[str]]:
    """The rows of all pages from `start` on."""
    rows, query = [], start
    while query is not None:
        answer = admin.get(address + query)
        rows.append(shown(answer))
        query = link(answer, rel)
    return rows


def test_pages_lead_through_all_calls_and_back(admin: Client) -> None:
    many(120)
    answer = admin.get(CALLS)
    assert shown(answer) == [f"c{n:04}" for n in range(119, 69, -1)]
    assert link(answer, "prev") is None
    down = pages(admin, CALLS, "", "next")
    assert list(map(len, down)) == [50, 50, 20]
    assert list(chain(*down)) == [f"c{n:04}" for n in range(119, -1, -1)]
    last = link(admin.get(CALLS + (link(answer, "next") or "")), "next") or ""
    assert pages(admin, CALLS, last, "prev") == [down[2], down[1], down[0]]


def test_calls_of_the_same_moment_are_each_shown_once(admin: Client) -> None:
    seen(*({"connection_id": f"c{n:03}", "start_time": "2026-05-10T12:00:00.123456Z"} for n in range(110)))
    assert list(chain(*pages(admin, CALLS, "", "next"))) == [f"c{n:03}" for n in range(109, -1, -1)]


def test_a_link_stays_true_when_calls_come(admin: Client) -> None:
    many(60)
    older = link(admin.get(CALLS), "next") or ""
    before = shown(admin.get(CALLS + older))
    seen({"connection_id": "newest", "start_time": "2026-06-01T00:00:00Z"})
    assert shown(admin.get(CALLS + older)) == before == [f"c{n:04}" for n in range(9, -1, -1)]


@pytest.mark.parametrize("filters", ["", "?q=5550041", "?q=555", "?status__exact=failed", "?q=nobody"])
def test_a_page_costs_the_same_queries_however_many_calls(
    admin: Client, django_assert_num_queries: DjangoAssertNumQueries, filters: str
) -> None:
    many(120)
    names = "nobody" not in filters
    with django_assert_num_queries(QUERIES + ("q=" in filters) + names):
        assert admin.get(CALLS + filters).status_code == 200


def test_nothing_is_counted_and_nothing_skipped(admin: Client) -> None:
    rows_of_all()
    for model in READ_ONLY:
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        first = admin.get(address)
        addresses = ["", link(first, "next") or "", "?o=1", "?o=-2", "?all=", "?p=3"]
        addresses += ["?q=0142"] if site._registry[model].search_fields else []
        with CaptureQueriesContext(database) as queries:
            for query in addresses:
                assert admin.get(address + query, follow=True).status_code == 200
        assert not [one["sql"] for one in queries if COUNTS_OR_SKIPS.search(one["sql"])], model


def rows_of_all() -> None:
    """More than a page of each of the tables that grow most."""
    many(60)
    call, now = Connection.objects.earliest("pk"), datetime(2026, 5, 10, tzinfo=UTC)
    Action.objects.bulk_create(Action(verb="hang_up", phase="intent", actor="ana") for _ in range(60))
    Contact.objects.bulk_create(Contact(endpoint=f"+1415555{n:04}", name="A, B") for n in range(60))
    Walk.objects.bulk_create(Walk(full=False, origin="schedule", fence=n, state="failed") for n in range(60))
    Callback.objects.bulk_create(
        Callback(
            digest=str(n),
            kind="status",
            connection=call,
            status=200,
            first_at=now,
            last_at=now,
            milliseconds=1,
        )
        for n in range(60)
    )


@pytest.mark.parametrize("model", [Action, Callback, Connection, Contact, Walk])
def test_each_of_the_large_lists_is_paged(admin: Client, model: Any) -> None:
    rows_of_all()
    address = f"/admin/connections_app/{model._meta.model_name}/"
    second = admin.get(address + (link(admin.get(address), "next") or ""))
    assert len(shown(second)) == 10
    assert len(shown(admin.get(address + (link(second, "prev") or "")))) == 50


def test_contacts_are_listed_by_name(admin: Client) -> None:
    Contact.objects.bulk_create(
        Contact(endpoint=f"+1415555{n:04}", name=f"Lima, {'ab'[n % 2]}{n:02}") for n in range(60)
    )
    listed = pages(admin, "/admin/connections_app/contact/", "", "next")
    assert list(chain(*listed)) == sorted(Contact.objects.values_list("name", flat=True))


def test_it_finds_what_the_list_of_calls_finds(admin: Client) -> None:
    seen({"connection_id": "a1", "to": "+14155550142", "direction": "incoming"})
    seen({"connection_id": "a2", "to": "+442079460018", "direction": "incoming"})
    Contact.objects.create(endpoint="+442079460018", name="Ana Lima")
    for text, found in [("(415) 555-0142", ["a1"]), ("lima", ["a2"]), ("A1", ["a1"]), ("nobody", [])]:
        listed = [row.call.connection_id for row in admin.get("/calls/", {"q": text}).context["rows"]]
        assert (text, shown(admin.get(CALLS, {"q": text}))) == (text, listed) == (text, found)


def test_calls_are_shown_with_names(admin: Client) -> None:
    seen({"connection_id": "a1", "to": "+442079460018", "from": "webrtc:ana", "direction": "incoming"})
    Contact.objects.create(endpoint="+442079460018", name="Kofi <Mensah>")
    answer = admin.get(CALLS)
    assertContains(answer, "Kofi &lt;Mensah&gt;, +442079460018")
    assertContains(answer, ">webrtc:ana<")


def test_a_text_that_cannot_be_searched_for_is_refused_in_words(admin: Client) -> None:
    seen({"connection_id": "a1"})
    Contact.objects.bulk_create(Contact(endpoint=f"+1415555{n:04}", name="Ana") for n in range(51))
    answer = admin.get(CALLS, {"q": "ana"})
    assertContains(answer, "Enter more of the name.")
    assert shown(answer) == []


def test_a_filter_stays_when_one_pages(admin: Client) -> None:
    many(600)
    older = link(admin.get(f"{CALLS}?status__exact=failed&q=442079460018"), "next") or ""
    assert shown(admin.get(CALLS + older)) == [f"c{n:04}" for n in range(90, -1, -10)]


@pytest.mark.parametrize(
    "place",
    [
        "3",
        "after",
        "after,1",
        "after,x,2026-05-10T12:00:00Z",
        "after,1,never",
        "below,1,2026-05-10T12:00:00Z",
    ],
)
def test_a_place_that_there_is_not_leads_to_the_start(admin: Client, place: str) -> None:
    seen({"connection_id": "a1"})
    answer = admin.get(CALLS, {PAGE_VAR: place})
    assert (answer.status_code, answer["Location"]) == (302, f"{CALLS}?e=1")
    assert shown(admin.get(answer["Location"])) == ["a1"]


def test_a_search_that_takes_too_long_says_so(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_slow(*_: Any) -> None:
        raise TooSlow

    monkeypatch.setattr(read_only, "read", too_slow)
    assertContains(admin.get(CALLS), "This took too long.")


def test_a_request_is_found_by_its_number_its_call_and_its_id(admin: Client) -> None:
    now = datetime(2026, 5, 10, tzinfo=UTC)
    seen({"connection_id": "a1"})
    request_id = "6f1c0f6e-0000-4000-8000-000000000000"
    CallRequest.objects.create(
        request_id=request_id,
        digest="d",
        operator_name="ana",
        phone_number="+14155550142",
        deadline=now,
        connection=Connection.objects.get(),
    )
    for text in ("+14155550142", "a1", request_id):
        assertContains(
            admin.get("/admin/connections_app/callrequest/", {"q": text}), "?_changelist_filters=q"
        )
    assertContains(admin.get("/admin/connections_app/callrequest/", {"q": "+14155550143"}), "None found.")


def test_refused_callbacks_are_listed_alone(admin: Client) -> None:
    now = datetime(2026, 5, 10, tzinfo=UTC)
    for status in (200, 404):
        Callback.objects.create(
            digest=str(status), kind="done", status=status, first_at=now, last_at=now, milliseconds=1
        )
    answer = admin.get("/admin/connections_app/callback/?answer=refused")
    assert [callback.status for callback in answer.context["cl"].result_list] == [404]
    assertNotContains(answer, "None found.")
