"""The task that follows placed calls each second."""

from celery import shared_task

from connections_app.control.watching import watch
from connections_app.sift.client import SiftClient


@shared_task
def watch_calls() -> None:
    """Run one round of `watch`."""
    client = SiftClient.configured(is_urgent=True)
    try:
        watch(client.with_short_timeout())
    finally:
        client.close()
