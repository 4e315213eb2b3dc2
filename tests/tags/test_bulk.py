"""A tag on many calls: counted before it is done, done once whatever happens, and undone as it was."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db.models import Count
from django.db.models.expressions import RawSQL
from django.test import Client
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerAway
from pytest_django.asserts import assertContains, assertNotContains

from connections_app.models import (
    Action,
    BulkTagged,
    BulkTagging,
    CallTag,
    Connection,
    Operator,
    Role,
    Tag,
)
from connections_app.tags import bulk
from connections_app.tags.bulk import BulkRequest
from connections_app.tags.tasks import queue_unfinished_tagging, tag_calls
from connections_app.web import jobs
from tests.factories import generated, many, seen

pytestmark = pytest.mark.django_db

Make = Callable[..., Operator]
BULK = "/calls/tags/bulk/"
State = BulkTagging.State


@pytest.fixture
def ana(client: Client, make_operator: Make) -> Client:
    """An operator's browser, and a tag."""
    Tag.objects.create(name="Refund", colour="green", made_by="ben")
    client.force_login(make_operator("ana", time_zone="Europe/Berlin"))
    return client


@pytest.fixture
def small_batches() -> Iterator[None]:
    with patch.object(bulk, "BATCH", 7):
        yield


def select(browser: Client, *calls: Connection, do: str = "add", tag: str = "Refund", **more: str) -> Any:
    return browser.post(BULK, {"call": [call.pk for call in calls], "do": do, "tag": tag} | more)


def ask(browser: Client, query: str, do: str = "add", tag: str = "Refund") -> Any:
    return browser.post(BULK, {"scope": "all", "query": query, "do": do, "tag": tag})


def confirm(browser: Client, question: Any) -> BulkTagging:
    answer = browser.post(f"{BULK}confirm/", {"asked": question.context["signed"]})
    assert answer.status_code == 303
    return BulkTagging.objects.latest("pk")


def tagged(tag: str = "Refund") -> set[str]:
    return set(CallTag.objects.filter(tag__name=tag).values_list("connection__connection_id", flat=True))


def ids(first: int, last: int) -> set[str]:
    return {f"c{n:04}" for n in range(first, last + 1)}


def call(number: int) -> Connection:
    return Connection.objects.get(connection_id=f"c{number:04}")


def test_selected_calls_are_tagged_at_once(ana: Client) -> None:
    many(5)
    answer = select(ana, call(1), call(3), query="status=finished")
    done = BulkTagging.objects.get()
    assert answer["Location"] == f"{BULK}{done.pk}/"
    assert tagged() == {"c0001", "c0003"}
    assert (done.state, done.changed) == (State.DONE, 2)
    page = ana.get(answer["Location"])
    assertContains(page, "Put on 2 calls.")
    assertContains(page, "/calls/?status=finished")
    at = dict(CallTag.objects.values_list("connection", "at"))
    assert at == {one.pk: one.at for one in (call(1), call(3))}


def test_all_that_match_are_counted_and_the_filter_repeated_before_anything_is_done(ana: Client) -> None:
    many(130)
    question = ask(ana, "status=finished&since=2026-05-01T14:10&before=1-2")
    matching = {
        one.connection_id for one in Connection.objects.filter(status="finished", at__gte=at("12:10"))
    }
    assertContains(question, f"{len(matching)} calls</strong>")
    assertContains(question, "Finished")
    assertContains(question, "from 2026-05-01 14:10")
    assertContains(question, "Europe/Berlin")
    assert not BulkTagging.objects.exists()
    assert tagged() == set()
    confirm(ana, question)
    assert tagged() == matching


def at(clock: str) -> str:
    return f"2026-05-01T{clock}Z"


def test_calls_that_come_after_the_question_are_left_alone(ana: Client) -> None:
    many(3)
    question = ask(ana, "")
    assertContains(question, "every call there is")
    seen({"connection_id": "later"})
    confirm(ana, question)
    assert tagged() == ids(0, 2)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("since=banana", "Enter a date as 2026-05-31"),
        ("statuss=failed", "“statuss” is not a filter of the list of calls."),
        ("status=odd", "odd"),
    ],
)
def test_a_filter_that_is_wrong_is_refused_with_the_reason(ana: Client, query: str, reason: str) -> None:
    many(3)
    answer = ask(ana, query)
    assertContains(answer, reason, status_code=422)
    assert not BulkTagging.objects.exists()


def test_one_that_takes_too_long_to_count_is_refused(ana: Client) -> None:
    many(3)
    with (
        patch.object(bulk, "COUNT_TIMEOUT", timedelta(milliseconds=20)),
        patch.object(bulk, "Count", sleeping),
    ):
        assertContains(ask(ana, ""), "could not be counted", status_code=422)


def sleeping(_: str) -> Count:
    return Count(RawSQL("pg_sleep(1)::text", []))


def test_a_question_that_was_tampered_with_is_refused(ana: Client) -> None:
    many(3)
    signed = ask(ana, "status=failed").context["signed"]
    answer = ana.post(f"{BULK}confirm/", {"asked": signed[:-1] + ("A" if signed[-1] != "A" else "B")})
    assert answer.status_code == 422
    assert tagged() == set()


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ({"do": "add", "tag": "Refund"}, "No call is selected."),
        ({"do": "add", "tag": "Refund", "call": "x"}, "not one of the available choices"),
        ({"do": "add", "tag": " ", "call": "1"}, "Say which tag."),
        ({"tag": "Refund", "call": "1"}, "Say whether to put it on or take it off."),
        ({"do": "add", "tag": "New", "call": "1"}, "There is no tag “New”. A supervisor makes new ones."),
        ({"do": "remove", "tag": "New", "call": "1"}, "There is no tag “New”."),
        ({"do": "add", "tag": "New", "scope": "all"}, "There is no tag “New”."),
    ],
)
def test_a_form_that_is_wrong_is_refused_with_the_reason(
    ana: Client, form: dict[str, str], reason: str
) -> None:
    assertContains(ana.post(BULK, form), reason, status_code=422)
    assert not BulkTagging.objects.exists()


def test_a_supervisor_tags_with_a_new_one(client: Client, make_operator: Make) -> None:
    many(3)
    client.force_login(make_operator("ben", Role.SUPERVISOR))
    question = ask(client, "", tag="Brand new")
    assert not Tag.objects.exists()
    confirm(client, question)
    assert tagged("Brand new") == ids(0, 2)


def test_taking_off_and_undoing_gives_back_what_was_there(ana: Client) -> None:
    many(6)
    select(ana, call(1), call(2))
    before = set(CallTag.objects.values_list("connection", "tagged_by", "tagged_at"))
    off = confirm(ana, ask(ana, "", do="remove"))
    assert (tagged(), off.changed, off.seen) == (set(), 2, 6)
    assertContains(ana.get(f"{BULK}{off.pk}/"), "Taken off 2 calls. 4 calls did not have it.")
    assert ana.post(f"{BULK}{off.pk}/undo/").status_code == 303
    assert set(CallTag.objects.values_list("connection", "tagged_by", "tagged_at")) == before
    off.refresh_from_db()
    assert (off.state, off.undone) == (State.UNDONE, 2)


def test_undoing_leaves_what_was_there_before_and_what_was_put_on_since(ana: Client) -> None:
    many(4)
    ana.post("/calls/c0000/tags/", {"put": "Refund"})
    on = confirm(ana, ask(ana, ""))
    assert on.changed == 3
    ana.post("/calls/c0001/tags/", {"off": "Refund"})
    ana.post("/calls/c0001/tags/", {"put": "Refund"})
    ana.post(f"{BULK}{on.pk}/undo/")
    assert tagged() == {"c0000", "c0001"}
    assert not BulkTagged.objects.exists()


def test_undoing_a_taking_off_leaves_what_was_put_on_since(ana: Client) -> None:
    many(2)
    select(ana, call(0), call(1))
    select(ana, call(0), call(1), do="remove")
    ana.post("/calls/c0001/tags/", {"put": "Refund"})
    by_hand = CallTag.objects.get()
    ana.post(f"{BULK}{BulkTagging.objects.latest('pk').pk}/undo/")
    assert tagged() == {"c0000", "c0001"}
    assert CallTag.objects.get(pk=by_hand.pk).tagged_at == by_hand.tagged_at


def test_undone_twice_changes_nothing_more(ana: Client) -> None:
    many(2)
    select(ana, call(0))
    one = BulkTagging.objects.get()
    ana.post(f"{BULK}{one.pk}/undo/")
    select(ana, call(0))
    ana.post(f"{BULK}{one.pk}/undo/")
    assert tagged() == {"c0000"}


def test_it_is_on_record(ana: Client) -> None:
    many(2)
    select(ana, call(0), call(1))
    ana.post(f"{BULK}{BulkTagging.objects.get().pk}/undo/")
    told = Action.objects.order_by("pk").values_list("actor", "verb", "phase", "outcome")
    assert list(told) == [
        ("ana", "tag", "intent", ""),
        ("ana", "tag", "outcome", "Put on 2 calls."),
        ("ana", "undo_tagging", "intent", ""),
        ("", "undo_tagging", "outcome", "Undone on 2 calls."),
    ]
    payload = Action.objects.earliest("pk").payload
    assert (payload["tag"], payload["calls"], payload["selected"]) == ("Refund", 2, True)


def test_operators_steer_their_own_and_supervisors_all(ana: Client, make_operator: Make) -> None:
    many(2)
    select(ana, call(0))
    one = BulkTagging.objects.get()
    for name, role, may in [
        ("kofi", Role.OPERATOR, False),
        ("viewer", Role.VIEWER, False),
        ("ben", Role.SUPERVISOR, True),
    ]:
        browser = Client()
        browser.force_login(make_operator(name, role))
        assert browser.get(f"{BULK}{one.pk}/").status_code == (200 if may else 403)
        assert browser.post(f"{BULK}{one.pk}/stop/").status_code == (303 if may else 403)
        tags = browser.get("/calls/tags/")
        (assertContains if may else assertNotContains)(tags, f"{BULK}{one.pk}/")
        assert browser.post(f"{BULK}{one.pk}/undo/").status_code == (303 if may else 403)
    assert tagged() == set()


def test_over_a_thousand_wait_for_a_worker(ana: Client) -> None:
    generated(1_001)
    with patch.object(tag_calls, "delay") as queued:
        one = confirm(ana, ask(ana, ""))
    queued.assert_called_once_with(one.pk)
    assert (one.state, tagged()) == (State.WAITING, set())
    page = ana.get(f"{BULK}{one.pk}/")
    assertContains(page, "Waiting for its turn.")
    assertContains(page, 'hx-trigger="every 1s"')
    tag_calls(one.pk)
    assert len(tagged()) == 1_001
    assertNotContains(ana.get(f"{BULK}{one.pk}/"), "every 1s")


def test_one_that_could_not_be_queued_is_queued_later(ana: Client) -> None:
    generated(1_001)
    with patch.object(tag_calls, "delay", side_effect=BrokerAway):
        one = confirm(ana, ask(ana, ""))
    assertContains(ana.get(f"{BULK}{one.pk}/"), "as soon as Valkey answers again")
    with patch.object(tag_calls, "delay") as queued:
        queue_unfinished_tagging()
    queued.assert_called_once_with(one.pk)


def begun(count: int, **more: Any) -> BulkTagging:
    """One on all calls, that nobody has begun with."""
    tag, _ = Tag.objects.get_or_create(name="Refund", defaults={"made_by": "ben"})
    last = Connection.objects.latest("pk").pk
    asked = BulkRequest(tag, True, None, "", "UTC", count, last)
    return bulk.begin(asked, Operator.objects.get(username="ana"), None)


def after_one_batch(one: BulkTagging) -> datetime:
    """A worker's first batch is done; when it last said that it is at it."""
    claimed = jobs.claim(BulkTagging.objects.filter(pk=one.pk, state__in=bulk.OPEN))
    held = claimed and bulk._next_batch(one.pk, claimed)
    assert held
    return held


def test_who_works_at_it_keeps_others_from_it(ana: Client, small_batches: None) -> None:
    many(20)
    one = begun(20)
    BulkTagging.objects.update(working_since=timezone.now())
    assert bulk.unfinished() == []
    bulk.work(one.pk)
    assert tagged() == set()
    BulkTagging.objects.update(working_since=timezone.now() - jobs.LOST_AFTER)
    assert bulk.unfinished() == [one.pk]
    bulk.work(one.pk)
    assert tagged() == ids(0, 19)


def test_one_that_slept_while_another_took_over_writes_nothing_more(ana: Client, small_batches: None) -> None:
    many(20)
    one = begun(20)
    held = after_one_batch(one)
    BulkTagging.objects.update(working_since=held - timedelta(hours=1))
    others = after_one_batch(one)
    assert bulk._next_batch(one.pk, held) is None
    one.refresh_from_db()
    assert (one.seen, one.working_since, len(tagged())) == (14, others, 14)


def test_stopped_it_goes_no_further_and_can_be_undone(ana: Client, small_batches: None) -> None:
    many(20)
    one = begun(20)
    held = after_one_batch(one)
    assert ana.post(f"{BULK}{one.pk}/stop/").status_code == 303
    assert bulk._next_batch(one.pk, held) is None
    assert len(tagged()) == 7
    assertContains(ana.get(f"{BULK}{one.pk}/"), "Stopped. Put on 7 calls.")
    ana.post(f"{BULK}{one.pk}/undo/")
    assert tagged() == set()


def test_who_stops_it_is_on_record_as_who_did(ana: Client, make_operator: Make, small_batches: None) -> None:
    many(20)
    one = begun(20)
    after_one_batch(one)
    sam = make_operator("sam", Role.SUPERVISOR)
    browser = Client(REMOTE_ADDR="10.0.0.9")
    browser.force_login(sam)
    browser.post(f"{BULK}{one.pk}/stop/")
    ended = Action.objects.get(phase="outcome", subject=f"tagging {one.pk}")
    assert (ended.actor_id, ended.actor, ended.address) == (sam.pk, "sam", "10.0.0.9")
    assert ended.outcome == "Put on 7 calls. Stopped before the end."


def test_undone_while_it_runs_the_same_worker_turns_back(ana: Client, small_batches: None) -> None:
    many(20)
    one = begun(20)
    held = after_one_batch(one)
    with patch.object(bulk, "work") as elsewhere:
        ana.post(f"{BULK}{one.pk}/undo/")
    elsewhere.assert_called_once()
    while following := bulk._next_batch(one.pk, held):
        held = following
    one.refresh_from_db()
    assert (one.state, one.undone, tagged()) == (State.UNDONE, 7, set())


def test_a_worker_that_must_stop_leaves_it_to_the_next(ana: Client, small_batches: None) -> None:
    many(20)
    one = begun(20)
    stopping = threading.Event()
    stopping.set()
    bulk.work(one.pk, stopping)
    assert bulk.unfinished() == [one.pk]


def test_a_filter_that_is_not_understood_any_more_fails_with_the_reason(ana: Client) -> None:
    many(3)
    one = begun(3)
    BulkTagging.objects.update(query="tag=Gone")
    bulk.work(one.pk)
    one.refresh_from_db()
    assert one.state == State.FAILED
    assertContains(ana.get(f"{BULK}{one.pk}/"), "Gone")


def test_a_tag_that_is_deleted_meanwhile_ends_it(ana: Client, small_batches: None) -> None:
    many(20)
    one = begun(20)
    held = after_one_batch(one)
    Tag.objects.get().delete()
    assert bulk._next_batch(one.pk, held) is None
    assert not CallTag.objects.exists()
