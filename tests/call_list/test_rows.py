"""The rows of the list: which way they are ordered, whose a call is, and its tags."""

from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django.asserts import assertContains, assertNotContains

from connections_app.models import CallTag, Connection, Operator, Tag
from tests.factories import seen

pytestmark = pytest.mark.django_db


@pytest.fixture
def call() -> Connection:
    seen({"connection_id": "a1", "from": "+14155550142", "start_time": "2026-05-10T02:28:17Z"})
    return Connection.objects.get()


@pytest.mark.parametrize(
    ("query", "caption", "started", "talked"),
    [
        ("", "newest first", ("descending", "?sort=oldest"), ("", "?sort=longest")),
        ("?sort=oldest", "oldest first", ("ascending", "?"), ("", "?sort=longest")),
        ("?sort=longest", "longest first", ("", "?"), ("descending", "?sort=shortest")),
        ("?sort=shortest", "shortest first", ("", "?"), ("ascending", "?sort=longest")),
    ],
)
def test_a_heading_states_the_order_and_leads_to_the_other(
    signed_in: Client,
    call: Connection,
    query: str,
    caption: str,
    started: tuple[str, str],
    talked: tuple[str, str],
) -> None:
    answer = signed_in.get(f"/calls/{query}")
    headings = [answer.context[name] for name in ("by_time", "by_talk")]
    assert [(one.direction, one.url) for one in headings] == [started, talked]
    assertContains(answer, f"Calls, {caption}")
    assertContains(answer, "aria-sort", 1)


def test_a_heading_keeps_the_filters_and_leaves_the_place(signed_in: Client, call: Connection) -> None:
    answer = signed_in.get("/calls/?q=415&below=9999999999999999-1")
    assert answer.context["by_talk"].url == "?q=415&sort=longest"


def test_three_tags_are_shown_and_the_others_counted(signed_in: Client, call: Connection) -> None:
    for name in ("A", "B", "C", "<D>", "E"):
        tag = Tag.objects.create(name=name, made_by="ana")
        CallTag.objects.create(connection=call, tag=tag, at=call.at, tagged_by="ana")
    answer = signed_in.get("/calls/")
    assertContains(answer, 'title="&lt;D&gt;">&lt;D&gt;</span>')
    assertContains(answer, 'title="C">', 0)
    assertContains(answer, 'title="C, E">+2')


def test_the_operator_is_named(
    signed_in: Client, call: Connection, make_operator: Callable[..., Operator]
) -> None:
    assertNotContains(signed_in.get("/calls/"), "Ana Okafor")
    Connection.objects.update(operator=make_operator("ana", first_name="Ana", last_name="Okafor"))
    assertContains(signed_in.get("/calls/"), '<span title="Ana Okafor">Ana Okafor</span>')
