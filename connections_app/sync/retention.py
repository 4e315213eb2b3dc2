"""Delete what is kept for a limited time: walks that found nothing, and the bodies of callbacks."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from connections_app.models import Callback, Walk

# Rows per statement, so that no lock is held for long.
BATCH = 5_000
Row = TypeVar("Row", Walk, Callback)


def delete_uneventful_walks() -> int:
    """Delete scheduled walks older than UNEVENTFUL_WALKS_DAYS that found nothing new and nothing wrong.

    Returns how many were deleted. With 0 days, none are.
    """
    uneventful = Walk.objects.filter(
        state=Walk.State.COMPLETED,
        origin=Walk.Origin.SCHEDULE,
        full=False,
        created=0,
        updated=0,
        unusable=0,
        odd_values=0,
    )
    return _purge(
        uneventful, "finished_at__lt", settings.UNEVENTFUL_WALKS_DAYS, lambda rows: rows.delete()[0]
    )


def delete_old_bodies() -> int:
    """Delete the bodies of callbacks older than CALLBACK_BODIES_DAYS, which hold what callers said and typed.

    Returns how many were deleted. With 0 days, none are. The callbacks stay.
    """
    kept = Callback.objects.filter(body__isnull=False)
    return _purge(kept, "last_at__lt", settings.CALLBACK_BODIES_DAYS, lambda rows: rows.update(body=None))


def _purge(rows: QuerySet[Row], is_old: str, days: int, purge: Callable[[QuerySet[Row]], int]) -> int:
    if not days:
        return 0
    old = rows.filter(**{is_old: timezone.now() - timedelta(days=days)}).order_by("pk")
    count, last = 0, 0
    while keys := list(old.filter(pk__gt=last).values_list("pk", flat=True)[:BATCH]):
        count += purge(rows.filter(pk__in=keys))
        last = keys[-1]
    return count
