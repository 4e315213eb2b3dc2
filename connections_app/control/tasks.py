"""Placed calls, watched each second."""

from celery import shared_task

from connections_app.control.watching import watch
from connections_app.sift.client import SiftClient


@shared_task
def watch_calls() -> None:
    client = SiftClient.configured()
    try:
        watch(client.hasty())
    finally:
        client.close()
