"""Make exports in the background, and resume what a worker left unfinished."""

from celery import shared_task

from connections_app.exports import making
from connections_app.web.jobs import stopping


@shared_task
def make_export(pk: int) -> None:
    """Make the export with this key until it is done or the worker is stopping."""
    making.work(pk, stopping)


@shared_task
def queue_unfinished_exports() -> None:
    """Queue exports that the broker may have lost, or that a worker left when it died."""
    for pk in making.unfinished():
        make_export.delay(pk)


@shared_task
def delete_old_exports() -> None:
    """Delete exports that are older than a week, and files without an export."""
    making.delete_old()
