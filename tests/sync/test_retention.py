"""Walks that found nothing go after a week, and bodies of callbacks if somebody wishes it; nothing else."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from connections_app.models import Callback, Walk
from connections_app.sync import retention
from connections_app.sync.tasks import delete_old_rows

pytestmark = pytest.mark.django_db


def walk(days: int = 8, **fields: Any) -> Walk:
    at = timezone.now() - timedelta(days=days)
    given = {"full": False, "origin": "schedule", "fence": 1, "state": "completed", "finished_at": at}
    return Walk.objects.create(**(given | fields))


def callback(days: int) -> Callback:
    at = timezone.now() - timedelta(days=days)
    fields = {"body": {"digits": "4111"}, "status": 200, "milliseconds": 1, "kind": "done"}
    return Callback.objects.create(digest=str(days), first_at=at, last_at=at, **fields)


@pytest.mark.parametrize("batch", [1, 5_000])
def test_only_uneventful_walks_by_the_schedule_go(monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    monkeypatch.setattr(retention, "BATCH", batch)
    for _ in range(3):
        walk()
    kept = [
        walk(days=6),
        walk(full=True),
        walk(state="failed", error="Sift does not answer."),
        walk(state="interrupted"),
        walk(created=1),
        walk(updated=1),
        walk(unusable=1),
        walk(odd_values=1),
        walk(origin="person", asked_by="ana"),
        walk(origin="command"),
        walk(state="running", finished_at=None),
    ]
    delete_old_rows()
    assert set(Walk.objects.all()) == set(kept)


@override_settings(UNEVENTFUL_WALKS_DAYS=0)
def test_no_walk_goes_where_none_is_to() -> None:
    walk(days=4_000)
    delete_old_rows()
    assert Walk.objects.count() == 1


def test_bodies_stay_unless_somebody_wishes_otherwise() -> None:
    old, new = callback(days=91), callback(days=89)
    delete_old_rows()
    old.refresh_from_db()
    assert old.body == {"digits": "4111"}
    with override_settings(CALLBACK_BODIES_DAYS=90):
        delete_old_rows()
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.body, new.body) == (None, {"digits": "4111"})
