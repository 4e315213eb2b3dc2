"""Tag many calls in the background, and resume what a worker left unfinished."""

from celery import shared_task

from connections_app.tags import bulk
from connections_app.web.jobs import stopping


@shared_task
def tag_calls(pk: int) -> None:
    """Run the bulk tagging with this key until it is done or the worker is stopping."""
    bulk.work(pk, stopping)


@shared_task
def queue_unfinished_tagging() -> None:
    """Queue bulk taggings that the broker may have lost, or that a worker left when it died."""
    for pk in bulk.unfinished():
        tag_calls.delay(pk)
