"""Tagging of many calls in the background, and again what a worker left unfinished."""

from celery import shared_task

from connections_app.tags import bulk
from connections_app.web.jobs import stopping


@shared_task
def tag_calls(pk: int) -> None:
    """Do the bulk tagging with this key, until it is done or the worker is stopping."""
    bulk.work(pk, stopping)


@shared_task
def queue_unfinished_tagging() -> None:
    """Queue what the broker may have lost, or a worker left when it died."""
    for pk in bulk.unfinished():
        tag_calls.delay(pk)
