"""Calls and contacts are found by numbers as people write them: in lists, as suggestions, on the board."""

import re
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection as database
from django.db import transaction
from django.http import QueryDict
from django.test import Client

from connections_app.call_list.filters import CallsForm, filtered
from connections_app.call_list.query import in_country, with_fixed_dates
from connections_app.control import suggestions
from connections_app.exports import writing
from connections_app.live.board_filter import Filter
from connections_app.models import BulkTagging, Export, Role, Tag
from tests.contacts.conftest import MakeOperator, made
from tests.exports.exported import written
from tests.factories import seen
from tests.sift.test_number_search import BRITISH, LONDON

pytestmark = pytest.mark.django_db


@pytest.fixture
def british(client: Client, make_operator: MakeOperator) -> Client:
    """A supervisor in Britain, with calls to London and elsewhere, and contacts of both."""
    client.force_login(make_operator("sam", Role.SUPERVISOR, country="GB"))
    ends = {"london": LONDON, "frisco": "+14155550142"}
    call = {"direction": "incoming", "status": "connected", "from": "webrtc:ana"}
    seen(*(call | {"connection_id": name, "to": end} for name, end in ends.items()))
    for name, end in ends.items():
        made(name.title(), end)
    return client


def listed(browser: Client, address: str, **query: str) -> list[str]:
    return [row.call.connection_id for row in browser.get(address, query).context["rows"]]


@pytest.mark.parametrize("typed", BRITISH)
def test_the_call_and_its_contact_are_found_everywhere(british: Client, typed: str) -> None:
    assert listed(british, "/calls/", q=typed) == ["london"]
    suggested = british.get("/calls/search/", {"q": typed}).context["suggested"].calls
    assert [one.call.connection_id for one in suggested] == ["london"]
    assert [one.endpoint for one, _ in british.get("/contacts/", {"q": typed}).context["rows"]] == [LONDON]
    assert [one.e164 for one in suggestions.found(typed, country="GB")] == [LONDON]
    rows = british.get("/", {"q": typed}).context["rows"]
    assert [row.call.connection_id for row in rows if not row.is_hidden] == ["london"]


@pytest.mark.parametrize("typed", ["020 7946 0018", "0044 20 7946", "+44 (0)20 7946 0018"])
def test_the_admin_finds_it(client: Client, make_operator: MakeOperator, typed: str) -> None:
    admin = make_operator("admin", Role.ADMINISTRATOR, country="GB", is_staff=True)
    client.force_login(admin)
    seen({"connection_id": "london", "to": LONDON}, {"connection_id": "other", "to": "+14155550142"})
    made("London", LONDON)
    for address in ("/admin/connections_app/connection/", "/admin/connections_app/contact/"):
        assert client.get(address, {"q": typed}).context["cl"].result_count == 1


def test_what_was_found_is_marked_in_its_number(british: Client) -> None:
    (one,) = british.get("/calls/search/", {"q": "020 7946"}).context["suggested"].calls
    assert one.also.match == "+44 20 7946"


def test_somebody_elsewhere_reads_the_same_digits_otherwise(
    british: Client, make_operator: MakeOperator
) -> None:
    british.force_login(make_operator("ben", country="US"))
    assert listed(british, "/calls/", q="020 7946 0018") == []
    assert listed(british, "/calls/", q="011 44 20 7946 0018") == ["london"]
    assert listed(british, "/calls/", q="1 415 555") == ["frisco"]


def test_an_export_and_a_bulk_tagging_find_what_was_found_when_they_were_requested(british: Client) -> None:
    query = "q=020+7946"
    assert with_fixed_dates(QueryDict(query), "GB") == f"{query}&dials_from=GB"
    assert in_country(f"{query}&dials_from=GB", "US") == f"{query}&dials_from=GB"
    assert written(f"{query}&dials_from=GB").decode().count("london") == 1
    with patch.object(writing, "INLINE_LIMIT", -1):
        british.post("/calls/export/", {"query": query, "format": "csv"})
    assert Export.objects.get().query == f"{query}&dials_from=GB"
    Tag.objects.create(name="Heard", colour="blue", made_by="ben")
    question: Any = british.post(
        "/calls/tags/bulk/", {"scope": "all", "query": query, "do": "add", "tag": "Heard"}
    )
    british.post("/calls/tags/bulk/confirm/", {"asked": question.context["signed"]})
    assert BulkTagging.objects.get().counted == 1
    assert Tag.objects.get().call_tags.get().connection.connection_id == "london"


@pytest.mark.parametrize(
    ("q", "finds"),
    [
        ("ana 020 7946", True),
        ("020 7946 ana", True),
        ("ben 020 7946", False),
        ("7946 0018", True),
        ("0018 7946", True),
        ("020 – 7946", True),
        ("+44(0)20 connected", True),
        ("020 8946", False),
        ("", True),
    ],
)
def test_the_boards_filter_takes_words_and_numbers_together(british: Client, q: str, finds: bool) -> None:
    rows = british.get("/", {"q": q}).context["rows"]
    assert ("london" in [row.call.connection_id for row in rows if not row.is_hidden]) == finds


def test_the_board_page_can_request_how_a_number_is_read(british: Client) -> None:
    ways = [[["020"], ["7946"], ["0018"]], [["02079460018", LONDON]], [[LONDON]]]
    assert british.get("/", {"ways": "1", "q": "020 7946 0018"}).json() == {"ways": ways}
    assert british.get("/?ways=1").json() == {"ways": []}
    (form,) = re.findall(r'id="filter"[^>]*', british.get("/?q=020+7946").content.decode())
    assert "+44207946" in form


def test_capitals_and_the_last_sigma_of_a_word_do_not_matter_to_the_filter() -> None:
    assert Filter(q="ΜΑΡΙΟΣ").ways == Filter(q="μαριος").ways == [[["μαριοσ"]]]


def test_a_number_in_two_forms_is_found_by_the_index() -> None:
    form = CallsForm(QueryDict("q=020+7946+0018"), country="GB")
    assert form.is_valid()
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan = filtered(form).order_by().explain()
    assert plan.count("Bitmap Index Scan on connection_ends") == 2
