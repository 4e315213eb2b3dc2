"""Work on many calls in the background, and again what a worker left unfinished."""

import threading
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down

from connections_app.history import bulk
from connections_app.history.exports import making

stopping = threading.Event()


@worker_shutting_down.connect
def stop_working(**_: Any) -> None:
    """Let the work end after its batch; another worker goes on from there."""
    stopping.set()


@shared_task
def tag_calls(pk: int) -> None:
    bulk.work(pk, stopping)


@shared_task
def make_export(pk: int) -> None:
    making.work(pk, stopping)


@shared_task
def queue_unfinished_tagging() -> None:
    """The broker may have lost what was queued, or a worker may have died at it."""
    for pk in bulk.unfinished():
        tag_calls.delay(pk)


@shared_task
def queue_unfinished_exports() -> None:
    for pk in making.unfinished():
        make_export.delay(pk)


@shared_task
def forget_old_exports() -> None:
    making.forget_old()
