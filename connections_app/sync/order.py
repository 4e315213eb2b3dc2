"""Find out from the data in which order Sift's list comes, and up to when it is known."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median_low

from connections_app.models import ListOrder
from connections_app.sift.payloads import Observation

# How much older than the watermark a row may be and still be read again. A list is ordered by when calls
# were made, which its rows do not tell; a start time is later than that by as long as the call rang.
OVERLAP = timedelta(minutes=10)


def order_of(observations: Sequence[Observation]) -> ListOrder:
    """The order in which these rows stand; unknown where their start times do not say clearly.

    Each row is held against the one half a page below, so that a few odd times do not matter.
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
    """The middle start time of a list's first page: up to here its head is known, once walked.

    The middle and not the newest, so that no single absurd time can hide the calls that come after it.
    """
    starts = start_times(observations)
    return median_low(starts) if starts else None


def is_older(observations: Sequence[Observation], watermark: datetime) -> bool:
    """Whether all rows are older than the watermark, less the overlap; False where none tells its start."""
    starts = start_times(observations)
    return bool(starts) and max(starts) < watermark - OVERLAP


def start_times(observations: Sequence[Observation]) -> list[datetime]:
    return [one.started_at for one in observations if one.started_at]
