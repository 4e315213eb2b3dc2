"""Determine from the rows how Sift's list is ordered, and up to which time it has been read."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median_low

from connections_app.models import ListOrder
from connections_app.sift.payloads import Observation

# Rows up to this much older than the watermark are read again: the list is ordered by when calls were made,
# which its rows do not contain, and a call starts later than that by as long as it rang.
OVERLAP = timedelta(minutes=10)


def order_of(observations: Sequence[Observation]) -> ListOrder:
    """Return the order of these rows; `UNKNOWN` if their start times do not clearly show one.

    Each row is compared with the one half a page below, so that a few odd times do not matter.
    """
    starts = start_times(observations)
    half = (len(starts) + 1) // 2
    pairs = list(zip(starts, starts[half:], strict=False))
    rising = sum(below > above for above, below in pairs)
    falling = sum(below < above for above, below in pairs)
    if falling > 3 * rising:
        return ListOrder.NEWEST_FIRST
    if rising > 3 * falling:
        return ListOrder.OLDEST_FIRST
    return ListOrder.UNKNOWN


def mark_of(observations: Sequence[Observation]) -> datetime | None:
    """Return the median start time of the list's first page, which becomes the watermark after the walk.

    It is not the newest, so that a single wrong time cannot hide the calls that come after it.
    """
    starts = start_times(observations)
    return median_low(starts) if starts else None


def is_older(observations: Sequence[Observation], watermark: datetime) -> bool:
    """Return True if all rows are older than `watermark - OVERLAP`; False if none has a start time."""
    starts = start_times(observations)
    return bool(starts) and max(starts) < watermark - OVERLAP


def start_times(observations: Sequence[Observation]) -> list[datetime]:
    """Return the start times of the rows that have one."""
    return [one.started_at for one in observations if one.started_at]
