"""The scheduled sync: recent calls on the queue for short tasks, full walks on the one for long tasks."""

import threading
from typing import Any

from celery import shared_task
from celery.signals import beat_init, worker_shutting_down
from django.utils import timezone

from connections_app.models import SyncState, Walk
from connections_app.sift.client import SiftClient
from connections_app.sync import retention
from connections_app.sync.walk import WalkRequest, walk, want_full_walk

stopping = threading.Event()


@worker_shutting_down.connect
def stop_walking(**_: Any) -> None:
    """Stop the running walk at its next commit; the next walk continues from there."""
    stopping.set()


@beat_init.connect
def sync_at_once(**_: Any) -> None:
    """Queue the first walk immediately instead of after the first interval."""
    sync.delay()


@shared_task
def sync(asked_by: str = "") -> None:
    """Read the recent calls, and queue the full walk if one is due.

    Does nothing while the sync is paused or Sift requires a wait, unless a person started it (`asked_by`).
    Before the first full walk it is not known which calls are recent.
    """
    state = SyncState.objects.get()
    if not asked_by and (state.paused_at or _must_wait(state)):
        return
    if state.full_wanted:
        walk_everything.delay(asked_by)
    if not state.knows_recent:
        return
    _walk(asked_by, may_be_long=False)


@shared_task
def walk_everything(asked_by: str = "") -> None:
    """Start or continue the full walk, if one is due."""
    if SyncState.objects.get().full_wanted:
        _walk(asked_by, may_be_long=True)


@shared_task
def request_full_walk() -> None:
    """Request a full walk and queue the sync."""
    want_full_walk()
    sync.delay()


@shared_task
def delete_old_rows() -> None:
    """Delete rows and bodies that are kept for a limited time."""
    retention.delete_uneventful_walks()
    retention.delete_old_bodies()


def _walk(asked_by: str, *, may_be_long: bool) -> None:
    origin = Walk.Origin.PERSON if asked_by else Walk.Origin.SCHEDULE
    client = SiftClient.configured(stopping)
    try:
        walk(client, WalkRequest(origin, asked_by), may_be_long=may_be_long, stop=stopping)
    finally:
        client.close()


def _must_wait(state: SyncState) -> bool:
    return state.not_before is not None and state.not_before > timezone.now()
