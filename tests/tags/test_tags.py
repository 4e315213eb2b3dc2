"""Tags: made, renamed and deleted by supervisors; put on calls and taken off them by operators."""

from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django.asserts import assertContains, assertNotContains

from connections_app.models import Action, CallTag, Connection, Operator, Role, Tag
from tests.factories import seen

pytestmark = pytest.mark.django_db

Make = Callable[..., Operator]
PAGE = "/calls/a1/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def ana(client: Client, make_operator: Make) -> Client:
    """An operator's browser, a past call, and a tag."""
    seen({"connection_id": "a1", "start_time": "2026-05-10T02:28:17Z"})
    Tag.objects.create(name="Refund", colour="green", made_by="ben")
    client.force_login(make_operator("ana"))
    return client


@pytest.fixture
def ben(ana: Client, make_operator: Make) -> Client:
    """A supervisor's browser."""
    browser = Client()
    browser.force_login(make_operator("ben", Role.SUPERVISOR))
    return browser


def tags_of(connection_id: str = "a1") -> list[str]:
    tagged = CallTag.objects.filter(connection__connection_id=connection_id)
    return sorted(tagged.values_list("tag__name", flat=True))


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_a_tag_is_put_on_and_taken_off_in_one_click(ana: Client, headers: dict[str, str]) -> None:
    assert ana.post(f"{PAGE}tags/", {"put": "Refund"}, headers=headers).status_code in (200, 303)
    assert tags_of() == ["Refund"]
    assertContains(ana.get(PAGE), "call-tag-green")
    ana.post(f"{PAGE}tags/", {"off": "Refund"}, headers=headers)
    assert tags_of() == []


def test_a_second_click_changes_nothing(ana: Client) -> None:
    for _ in range(2):
        ana.post(f"{PAGE}tags/", {"put": "refund"})
    assert tags_of() == ["Refund"]
    for _ in range(2):
        ana.post(f"{PAGE}tags/", {"off": "Refund"})
    assert [one.outcome for one in Action.objects.order_by("pk")] == [
        "Put on “Refund”.",
        "Took off “Refund”.",
    ]


def test_the_tag_has_the_calls_time_also_after_it_changed(ana: Client) -> None:
    ana.post(f"{PAGE}tags/", {"put": "Refund"})
    seen({"connection_id": "a1", "start_time": "2026-05-11T02:28:17Z"})
    assert CallTag.objects.get().at == Connection.objects.get().at


def test_a_supervisor_puts_on_a_new_one_by_name(ben: Client) -> None:
    ben.post(f"{PAGE}tags/", {"put": "  Call   back "})
    assert tags_of() == ["Call back"]
    assert Tag.objects.get(name="Call back").made_by == "ben"


def test_an_operator_does_not(ana: Client) -> None:
    answer = ana.post(f"{PAGE}tags/", {"put": "Call back"}, headers=HTMX)
    assertContains(answer, "There is no tag “Call back”. A supervisor makes new ones.", status_code=422)
    assert ana.post(f"{PAGE}tags/", {"put": "Call back"}).status_code == 422
    assert Tag.objects.count() == 1


@pytest.mark.parametrize("name", ["", "x" * 51, "nul\x00"])
def test_a_name_that_cannot_be_is_refused(ben: Client, name: str) -> None:
    assert ben.post(f"{PAGE}tags/", {"put": name}, headers=HTMX).status_code == 422
    assert ben.post("/calls/tags/", {"name": name, "colour": "red"}).status_code == 422
    assert Tag.objects.count() == 1


def test_a_viewer_sees_tags_and_changes_none(ana: Client, make_operator: Make) -> None:
    ana.post(f"{PAGE}tags/", {"put": "Refund"})
    viewer = Client()
    viewer.force_login(make_operator("viewer", Role.VIEWER))
    assertContains(viewer.get(PAGE), "Refund")
    assertNotContains(viewer.get(PAGE), f'action="{PAGE}tags/"')
    assertContains(viewer.get("/calls/tags/"), "1 call")
    assertNotContains(viewer.get("/calls/tags/"), "New tag")
    assert viewer.post(f"{PAGE}tags/", {"off": "Refund"}).status_code == 403
    assert tags_of() == ["Refund"]


def test_supervisors_make_rename_and_recolour_tags(ben: Client) -> None:
    assert ben.post("/calls/tags/", {"name": "VIP", "colour": "purple"}).status_code == 303
    tag = Tag.objects.get(name="VIP")
    assert ben.post(f"/calls/tags/{tag.pk}/", {"name": "Important", "colour": "red"}).status_code == 303
    tag.refresh_from_db()
    assert (tag.name, tag.colour) == ("Important", "red")
    assert [one.outcome for one in Action.objects.order_by("pk")] == [
        "Made “VIP”.",
        "“VIP” is now “Important”, red.",
    ]


def test_two_tags_have_no_name_in_common_whatever_the_case(ben: Client) -> None:
    answer = ben.post("/calls/tags/", {"name": "REFUND", "colour": "red"})
    assertContains(answer, "There is a tag of this name.", status_code=422)
    assertContains(answer, 'value="REFUND"', status_code=422)
    other = Tag.objects.create(name="Other", made_by="ben")
    assert ben.post(f"/calls/tags/{other.pk}/", {"name": "refund", "colour": "red"}).status_code == 422


def test_a_colour_that_there_is_not_is_refused(ben: Client) -> None:
    assert ben.post("/calls/tags/", {"name": "VIP", "colour": "plaid"}).status_code == 422


def test_deleting_says_on_how_many_calls_it_is_and_needs_a_confirmation(ben: Client) -> None:
    ben.post(f"{PAGE}tags/", {"put": "Refund"})
    tag = Tag.objects.get()
    assertContains(ben.get(f"/calls/tags/{tag.pk}/delete/"), "<strong>1 call</strong>")
    assert Tag.objects.exists()
    assert ben.post(f"/calls/tags/{tag.pk}/delete/").status_code == 303
    assert tags_of() == []
    assert Action.objects.latest("pk").outcome == "Deleted “Refund”, which was on 1 call."


def test_an_operator_makes_changes_and_deletes_no_tags(ana: Client) -> None:
    tag = Tag.objects.get()
    form = {"name": "Mine", "colour": "red"}
    for address in ("/calls/tags/", f"/calls/tags/{tag.pk}/", f"/calls/tags/{tag.pk}/delete/"):
        assert (address, ana.post(address, form).status_code) == (address, 403)
    assert [one.name for one in Tag.objects.all()] == ["Refund"]


def test_a_tags_markup_is_text(ben: Client) -> None:
    ben.post(f"{PAGE}tags/", {"put": "<script>alert(1)</script>"})
    for address in (PAGE, "/calls/tags/"):
        assertNotContains(ben.get(address), "<script>alert")


def test_a_call_whose_id_is_tags_has_its_page_and_so_have_the_tags(ana: Client) -> None:
    seen({"connection_id": "tags"})
    call = Connection.objects.get(connection_id="tags")
    assert ana.get(call.get_absolute_url()).context["call"] == call
    assertContains(ana.get("/calls/tags/?all"), "Refund")
