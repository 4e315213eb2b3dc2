"""`/sync/` says in words how the sync stands, and its buttons do what they say."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains, assertNotContains

from connections_app.models import Operator, Role, SyncState, UnusableRow, Walk
from connections_app.sync import tasks
from tests.conftest import TOKEN, Sandbox, our_ids
from tests.sync.test_walking import sync

pytestmark = pytest.mark.django_db


@pytest.fixture
def supervisor(client: Client, make_operator: Callable[..., Operator]) -> Client:
    client.force_login(make_operator("sup", Role.SUPERVISOR))
    return client


def test_before_the_first_walk(supervisor: Client) -> None:
    assertContains(supervisor.get("/sync/"), "Never completed: waiting for the first walk.")


def test_on_time_then_late(sandbox: Sandbox, supervisor: Client) -> None:
    sync()
    assertContains(supervisor.get("/sync/"), "On time: it runs every 15 s")
    SyncState.objects.update(fresh_at=timezone.now() - timedelta(minutes=3))
    assertContains(supervisor.get("/sync/"), "Late: it should run every 15 s")


def test_a_failure_is_shown_in_the_same_words_and_without_secrets(
    sandbox: Sandbox, supervisor: Client
) -> None:
    sandbox.faults({"kind": "redirect"})
    error = sync().error
    page = supervisor.get("/sync/")
    assertContains(page, "Failing since")
    assertContains(page, error.split(".")[0])
    assertNotContains(page, TOKEN)
    assertContains(supervisor.get("/"), "Sift has not answered since")


def test_the_page_costs_a_few_queries(
    sandbox: Sandbox, supervisor: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    sync()
    with django_assert_num_queries(11):
        supervisor.get("/sync/")


def test_pausing_keeps_the_schedule_away_until_resumed(sandbox: Sandbox, supervisor: Client) -> None:
    supervisor.post("/sync/pause/")
    tasks.sync()
    assert not Walk.objects.exists()
    assertContains(supervisor.get("/sync/"), "Paused by sup since")
    supervisor.post("/sync/resume/")
    assert SyncState.objects.get().paused_at is None


def test_unusable_rows_are_shown_with_their_reason_and_tried_again(
    sandbox: Sandbox, supervisor: Client
) -> None:
    sandbox.faults({"kind": "broken_rows", "times": 1, "on": "list"})
    sync()
    assertContains(supervisor.get("/sync/"), "status is “ringing”, which is not known.")
    good = {"connection_id": "mended", "status": "finished"}
    UnusableRow.objects.filter(connection_id=None).update(payload=good)
    supervisor.post("/sync/unusable-rows/retry/")
    assert "mended" in our_ids()
    assert not UnusableRow.objects.filter(connection_id=None).exists()


def test_a_button_queues_when_valkey_is_there(sandbox: Sandbox, supervisor: Client) -> None:
    SyncState.objects.update(full_wanted=False)
    answer = supervisor.post("/sync/everything/", follow=True)
    assert answer.status_code == 200
    assert SyncState.objects.get().full_wanted is True
