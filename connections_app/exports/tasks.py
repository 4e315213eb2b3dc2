"""Exports made in the background, and again what a worker left unfinished."""

from celery import shared_task

from connections_app.exports import making
from connections_app.web.jobs import stopping


@shared_task
def make_export(pk: int) -> None:
    """Make the export with this key, until it is done or the worker is stopping."""
    making.work(pk, stopping)


@shared_task
def queue_unfinished_exports() -> None:
    """Queue what the broker may have lost, or a worker left when it died."""
    for pk in making.unfinished():
        make_export.delay(pk)


@shared_task
def delete_old_exports() -> None:
    """Delete the files of exports that have been kept long enough."""
    making.delete_old()
