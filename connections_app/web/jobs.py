"""Long work queued in the database: one worker at a time claims it, and renews its claim."""

import threading
from datetime import datetime, timedelta
from typing import Any

from celery.signals import worker_shutting_down
from django.db.models import Q, QuerySet
from django.utils import timezone

# Set when the worker shuts down: work on many calls stops after its batch, and another worker resumes it.
stopping = threading.Event()
LOST_AFTER = timedelta(seconds=60)  # without a renewed claim, a worker counts as lost


@worker_shutting_down.connect
def stop_working(**_: Any) -> None:
    """Make running work stop after its batch."""
    stopping.set()


def unfinished(work: QuerySet[Any]) -> list[int]:
    """Return the primary keys of the open `work` that no live worker has claimed, oldest first."""
    return list(work.filter(_is_free(timezone.now())).order_by("asked_at").values_list("pk", flat=True))


def claim(work: QuerySet[Any], **changes: Any) -> datetime | None:
    """Claim the open `work` and apply `changes`. Returns the time of the claim, or None if taken or done."""
    now = timezone.now()
    return now if work.filter(_is_free(now)).update(working_since=now, **changes) else None


def _is_free(now: datetime) -> Q:
    return Q(working_since=None) | Q(working_since__lt=now - LOST_AFTER)
