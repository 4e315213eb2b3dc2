"""Saved views: kept under a name, for one person or for all, with a short link."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains, assertNotContains

from connections_app.models import Colour, Operator, Role, SavedView, Tag
from connections_app.tags import tagging
from tests.factories import FRAME

pytestmark = pytest.mark.django_db

Make = Callable[..., Operator]
FAILED = {"name": "Failed", "query": "status=failed&below=1-1"}


@pytest.fixture
def ana(client: Client, make_operator: Make) -> Client:
    client.force_login(make_operator("ana"))
    return client


@pytest.fixture
def ben(make_operator: Make) -> Client:
    browser = Client()
    browser.force_login(make_operator("ben"))
    return browser


def test_a_view_leads_to_what_was_saved_without_its_place(ana: Client) -> None:
    assert ana.post("/v/", FAILED)["Location"] == "/calls/?status=failed"
    assert ana.get(SavedView.objects.get().get_absolute_url())["Location"] == "/calls/?status=failed"


def test_the_present_view_is_marked_however_its_query_is_written(ana: Client) -> None:
    ana.post("/v/", {"name": "Both", "query": "status=failed&q=415"})
    assert ana.get("/calls/?q=415&status=failed").context["present_view"].name == "Both"
    assert ana.get("/calls/?q=415").context["present_view"] is None


def test_a_private_view_is_its_owners_alone(ana: Client, ben: Client) -> None:
    ana.post("/v/", FAILED)
    link = SavedView.objects.get().get_absolute_url()
    assertContains(ben.get(link), "There is no such view", status_code=404)
    assertNotContains(ben.get("/v/"), link)


def test_a_shared_view_is_everybodys_to_use_and_its_owners_to_change(ana: Client, ben: Client) -> None:
    ana.post("/v/", FAILED | {"is_shared": "on"})
    link = SavedView.objects.get().get_absolute_url()
    assert ben.get(link).status_code == 303
    assert ben.post(f"{link}change/", {"name": "Mine"}).status_code == 404
    ben.post(f"{link}delete/")
    assert SavedView.objects.get().name == "Failed"


def test_a_second_click_saves_once(ana: Client) -> None:
    assert [ana.post("/v/", FAILED).status_code for _ in range(2)] == [303, 303]
    assert SavedView.objects.count() == 1


def test_a_taken_name_is_said_and_may_be_given_other_filters(ana: Client) -> None:
    ana.post("/v/", FAILED)
    other = {"name": "failed", "query": "status=finished"}
    assertContains(ana.post("/v/", other), "You have a view “Failed” already.", status_code=422)
    ana.post("/v/", other | {"replace": SavedView.objects.get().code})
    assert [one.query for one in SavedView.objects.all()] == ["status=finished"]


def test_what_was_deleted_is_put_back_under_the_same_link(ana: Client, ben: Client) -> None:
    ana.post("/v/", FAILED)
    link = SavedView.objects.get().get_absolute_url()
    signed = ana.post(f"{link}delete/").context["signed"]
    assertContains(ana.get(link), "It was deleted", status_code=404)
    assert ben.post("/v/put-back/", {"view": signed}).status_code == 422
    for _ in range(2):
        ana.post("/v/put-back/", {"view": signed})
    assert ana.get(link).status_code == 303


def test_a_person_has_a_hundred_at_the_most(ana: Client) -> None:
    owner = Operator.objects.get(username="ana")
    SavedView.objects.bulk_create(SavedView(name=str(n), owner=owner) for n in range(100))
    assertContains(ana.post("/v/", FAILED), "You have 100 views.", status_code=422)


@pytest.mark.parametrize("name", ["", "x" * 101, "<script>alert(1)</script>", "a\x00b", "  "])
def test_no_name_breaks_the_pages(ana: Client, name: str) -> None:
    assert ana.post("/v/", FAILED | {"name": name}).status_code in (303, 422)
    for page in ("/v/", "/calls/"):
        assertNotContains(ana.get(page), "<script>alert")


def test_filters_that_cannot_be_understood_are_not_saved(ana: Client) -> None:
    assert ana.post("/v/", {"name": "Odd", "query": "since=banana"}).status_code == 422
    assert not SavedView.objects.exists()


def test_renaming_a_tag_changes_the_views_that_filter_by_it(ana: Client) -> None:
    owner = Operator.objects.get(username="ana")
    queries = (
        "tag=Old+%26+grey",
        "status=failed&tag=Old+%26+grey&tag=Other",
        "tag=Old+%26+grey+too",
        "q=tag%3DOld",
    )
    for query in queries:
        SavedView.objects.create(name=query, query=query, owner=owner)
    tag = Tag.objects.create(name="Old & grey", made_by="ana")
    tagging.change(tag, "Ünlike=new", Colour.RED, supervisor(owner), None)
    assert [view.query for view in SavedView.objects.order_by("pk")] == [
        "tag=%C3%9Cnlike%3Dnew",
        "status=failed&tag=Other&tag=%C3%9Cnlike%3Dnew",
        *queries[2:],
    ]


def test_a_rename_that_is_refused_leaves_the_views(ana: Client) -> None:
    owner = Operator.objects.get(username="ana")
    SavedView.objects.create(name="Old", query="tag=Old", owner=owner)
    tag = Tag.objects.create(name="Old", made_by="ana")
    Tag.objects.create(name="Taken", made_by="ana")
    with pytest.raises(tagging.NameTaken):
        tagging.change(tag, "taken", Colour.RED, supervisor(owner), None)
    assert SavedView.objects.get().query == "tag=Old"


def test_a_view_whose_tag_was_deleted_says_so(ana: Client) -> None:
    tag = Tag.objects.create(name="Refund", made_by="ana")
    ana.post("/v/", {"name": "Refunds", "query": "tag=Refund"})
    owner = supervisor(Operator.objects.get(username="ana"))
    assertContains(ana.get(f"/calls/tags/{tag.pk}/delete/"), "1 saved view asks for it")
    tagging.delete(tag, owner, None)
    problem = "There is no “Refund” to choose."
    assertContains(ana.get("/v/"), problem)
    answer = ana.get(ana.get(SavedView.objects.get().get_absolute_url())["Location"])
    assertContains(answer, problem)
    assertContains(answer, "No calls are shown until the filters can be understood")


def test_many_views_of_tags_and_people_cost_no_more_than_one(
    ana: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    owner = Operator.objects.get(username="ana")
    SavedView.objects.bulk_create(
        SavedView(name=str(n), query="operator=ana&tag=Refund", owner=owner) for n in range(20)
    )
    # The views, everybody, all tags.
    with django_assert_num_queries(FRAME + 3):
        ana.get("/v/")


def supervisor(operator: Operator) -> Operator:
    operator.groups.add(Group.objects.get(name=Role.SUPERVISOR))
    return Operator.objects.get(pk=operator.pk)
