"""The sync on its schedule: recent calls on the short queue, whole walks on the long one."""

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
    """Let a walk end at its next commit; the next one goes on from there."""
    stopping.set()


@beat_init.connect
def sync_at_once(**_: Any) -> None:
    """The first walk does not wait for the first interval to pass."""
    sync.delay()


@shared_task
def sync(asked_by: str = "") -> None:
    """Read the recent calls, and see to it that a wanted full walk is made.

    Leaves while paused or while Sift asked us to wait, unless a person asked. Before the first full walk has
    begun there is nothing that "recent" could be counted from.
    """
    state = SyncState.objects.get()
    if not asked_by and (state.paused_at or _is_to_wait(state)):
        return
    if state.full_wanted:
        walk_everything.delay(asked_by)
    if not state.knows_recent:
        return
    _walk(asked_by, may_be_long=False)


@shared_task
def walk_everything(asked_by: str = "") -> None:
    """Make, or go on with, the full walk that is wanted."""
    if SyncState.objects.get().full_wanted:
        _walk(asked_by, may_be_long=True)


@shared_task
def request_full_walk() -> None:
    want_full_walk()
    sync.delay()


@shared_task
def delete_old_rows() -> None:
    """Remove what is kept for a while only."""
    retention.delete_uneventful_walks()
    retention.delete_old_bodies()


def _walk(asked_by: str, *, may_be_long: bool) -> None:
    origin = Walk.Origin.PERSON if asked_by else Walk.Origin.SCHEDULE
    client = SiftClient.configured(stopping)
    try:
        walk(client, WalkRequest(origin, asked_by), may_be_long=may_be_long, stop=stopping)
    finally:
        client.close()


def _is_to_wait(state: SyncState) -> bool:
    return state.not_before is not None and state.not_before > timezone.now()
