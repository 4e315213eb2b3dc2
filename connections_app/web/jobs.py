"""Long work that waits in the database: one worker at a time is at it, and says so again and again."""

import threading
from datetime import datetime, timedelta
from typing import Any

from celery.signals import worker_shutting_down
from django.db.models import Q, QuerySet
from django.utils import timezone

# Set when the worker is to end: work on many calls stops after its batch, and another worker resumes it.
stopping = threading.Event()
# A worker that said nothing for so long is taken for lost.
LOST_AFTER = timedelta(seconds=60)


@worker_shutting_down.connect
def stop_working(**_: Any) -> None:
    """Let the work end after its batch."""
    stopping.set()


def unfinished(work: QuerySet[Any]) -> list[int]:
    """The keys of that of this open work which somebody has to go on with: nobody is at it. Oldest first."""
    return list(work.filter(_is_free(timezone.now())).order_by("asked_at").values_list("pk", flat=True))


def claim(work: QuerySet[Any], **changes: Any) -> datetime | None:
    """Take this open work, with these `changes` of it: when we said that we are at it.

    None where somebody else is, or there is nothing to do any more.
    """
    now = timezone.now()
    return now if work.filter(_is_free(now)).update(working_since=now, **changes) else None


def _is_free(now: datetime) -> Q:
    return Q(working_since=None) | Q(working_since__lt=now - LOST_AFTER)
