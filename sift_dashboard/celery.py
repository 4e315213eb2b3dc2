"""The Celery application: periodic and slow work, on a short and a long queue."""

import os
import sys
from typing import Any

from celery import Celery
from celery.signals import beat_init, celeryd_init, worker_init

from sift_dashboard.broker import broker_problem, is_refusal

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sift_dashboard.settings")

app = Celery("sift_dashboard")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks([f"connections_app.{package}" for package in ("sync", "control", "exports", "tags")])


def limit_broker_waits(app: Celery) -> None:
    """Make `app` give up soon if the broker hangs, so that people do not wait; beat queues the work later."""
    app.conf.task_publish_retry = False
    app.conf.broker_transport_options = {
        **app.conf.broker_transport_options,
        "socket_timeout": 1,
        "socket_connect_timeout": 1,
    }


@worker_init.connect
@beat_init.connect
def end_if_database_is_newer(**_: Any) -> None:
    """End a worker or beat that is older than the database: it would damage the data."""
    from connections_app.engines.schema import SchemaMismatch, refuse_newer

    try:
        refuse_newer()
    except SchemaMismatch as problem:
        sys.exit(str(problem))


@celeryd_init.connect
@beat_init.connect
def end_if_refused(**_: Any) -> None:
    """End a worker or beat that the broker refuses: unlike when the broker is away, a retry cannot help."""
    problem = broker_problem(app)
    if problem and is_refusal(problem):
        sys.exit(f"The broker that REDIS_URL names refuses the connection: {problem}")
