"""Each person chooses which columns of a list to see, and the choice is kept with them."""

from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django.asserts import assertContains

from connections_app.models import Operator, Role
from tests.factories import seen

pytestmark = pytest.mark.django_db

SHOWN = ["since", "for", "operator", "tags", "from", "to"]


def kept() -> dict[str, list[str]]:
    return dict(Operator.objects.get().hidden_columns)


def test_what_is_not_chosen_is_hidden(signed_in: Client) -> None:
    seen({"connection_id": "a1"})
    assertContains(signed_in.get("/calls/"), 'data-hides=""')
    signed_in.post("/accounts/columns/", {"list": "calls", "shown": ["status", "with", "since", "to"]})
    answer = signed_in.get("/calls/")
    assertContains(answer, 'data-hides="direction for operator tags from"')
    assertContains(answer, 'value="since" checked')
    assertContains(answer, 'value="direction" >')


def test_each_list_has_its_own_choice(signed_in: Client) -> None:
    signed_in.post("/accounts/columns/", {"list": "calls", "shown": SHOWN})
    signed_in.post("/accounts/columns/", {"list": "live", "shown": ["for", "since"]})
    assert kept() == {"calls": ["direction"], "live": ["direction", "operator", "runs"]}
    signed_in.post(
        "/accounts/columns/", {"list": "live", "shown": ["direction", "for", "since", "operator", "runs"]}
    )
    assert kept() == {"calls": ["direction"], "live": []}


def test_all_may_be_hidden_but_what_a_row_needs(signed_in: Client) -> None:
    signed_in.post("/accounts/columns/", {"list": "calls"})
    assert kept() == {"calls": ["direction", "since", "for", "operator", "tags", "from", "to"]}


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"list": "nowhere"},
        {"list": "calls", "shown": ["since", "runs"]},
        {"list": "live", "shown": ["password"]},
        {"list": "live", "shown": ["\x00"]},
    ],
)
def test_what_there_is_not_is_refused(signed_in: Client, form: dict[str, str]) -> None:
    answer = signed_in.post("/accounts/columns/", form)
    assert answer.status_code == 422
    assertContains(answer, "There is no", status_code=422)
    assert kept() == {}


@pytest.mark.parametrize(
    ("wanted", "page"),
    [
        ("/calls/?q=7&before=1-2", "/calls/?q=7&before=1-2"),
        ("", "/"),
        ("https://elsewhere.example/", "/"),
        ("//elsewhere.example", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_it_leads_back_to_our_own_pages_only(signed_in: Client, wanted: str, page: str) -> None:
    answer = signed_in.post("/accounts/columns/", {"list": "live", "next": wanted})
    assert (answer.status_code, answer["Location"]) == (303, page)


def test_htmx_stays_where_it_is(signed_in: Client) -> None:
    answer = signed_in.post("/accounts/columns/", {"list": "live"}, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.content) == (204, b"")


def test_the_choice_is_the_persons_own(client: Client, make_operator: Callable[..., Operator]) -> None:
    ana, kofi = make_operator("ana"), make_operator("kofi", Role.VIEWER)
    client.force_login(ana)
    client.post("/accounts/columns/", {"list": "calls"})
    kofi.refresh_from_db()
    assert kofi.hidden_columns == {}


def test_a_column_that_is_no_more_does_no_harm(signed_in: Client) -> None:
    seen({"connection_id": "a1"})
    Operator.objects.update(hidden_columns={"calls": ["colour", "to"], "gone": ["x"]})
    assertContains(signed_in.get("/calls/"), 'data-hides="to"')
