"""How fresh the calls are, computed and put into words."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import TextChoices
from django.utils import timezone

from connections_app.models import SyncState, Walk


class Health(TextChoices):
    """The state of the sync."""

    NEVER = "never"
    FRESH = "fresh"
    LATE = "late"
    FAILING = "failing"
    PAUSED = "paused"


# Their mark shows how long ago; that of the other states shows a time of day.
SHOWN_AS_AGE = (Health.FRESH, Health.LATE)


@dataclass(frozen=True, slots=True)
class Freshness:
    """The mark on every page: the state of the sync, its words, and the time in them.

    `lead` holds the words before that time, which is shown as `counts` says: how long ago, or by the clock.
    """

    state: Health
    lead: str
    since: datetime | None
    words: str

    @property
    def counts(self) -> bool:
        """Return True if the mark shows how long ago `since` was."""
        return self.state in SHOWN_AS_AGE


def freshness(now: datetime | None = None) -> Freshness:
    """Return how fresh the calls are at `now`. One query, two until the first sync has completed."""
    state = SyncState.objects.get()
    now = now or timezone.now()
    health = health_of(state, now)
    match health:
        case Health.PAUSED:
            lead, since = "Sync paused since", state.paused_at
        case Health.FAILING:
            lead, since = _failing(state)
        case Health.NEVER:
            lead, since = "First sync running" if _is_running() else "Never synced", None
        case _:
            lead, since = "Synced", state.fresh_at
    how_long = "" if since is None else ago(now, since) if health in SHOWN_AS_AGE else clock(since, now)
    return Freshness(health, lead, since, f"{lead} {how_long}".strip())


def _failing(state: SyncState) -> tuple[str, datetime | None]:
    """Return the lead and time of a failing sync, by whether Sift still answers."""
    if state.heard_at and state.failing_since and state.heard_at >= state.failing_since:
        return "Sync failing since", state.failing_since
    return "Sift has not answered since", state.heard_at or state.failing_since


def health_of(state: SyncState, now: datetime) -> Health:
    """Return the state of the sync at `now`. No query."""
    if state.paused_at:
        return Health.PAUSED
    if state.failing_since:
        return Health.FAILING
    if not state.fresh_at:
        return Health.NEVER
    return Health.LATE if now - state.fresh_at > late_after() else Health.FRESH


def late_after() -> timedelta:
    """Return the age of the newest reading from which the sync counts as late: about three intervals."""
    return timedelta(seconds=3 * settings.SYNC_INTERVAL_SECONDS + 5)


def sentence(state: SyncState, now: datetime) -> str:
    """Return one sentence for `/sync/` on whether the sync is healthy."""
    every = f"every {settings.SYNC_INTERVAL_SECONDS} s"
    fresh = (
        f"the newest calls were read {ago(now, state.fresh_at)}" if state.fresh_at else "no call was read yet"
    )
    match health_of(state, now):
        case Health.PAUSED:
            return f"Paused by {state.paused_by or 'somebody'} since {clock(state.paused_at, now)}; {fresh}."
        case Health.FAILING:
            return f"Failing since {clock(state.failing_since, now)}; {fresh}. {state.error}"
        case Health.NEVER:
            return f"Never completed: {_first_walk()}."
        case Health.LATE:
            return f"Late: it should run {every}, but {fresh}. Are the worker and beat running?"
        case _:
            return f"On time: it runs {every}, and {fresh}."


def ago(now: datetime, then: datetime | None) -> str:
    """Return `4 s ago`, `3 min ago`, `2 h ago` or `5 days ago`; `never` for None."""
    if then is None:
        return "never"
    seconds = max(0, int((now - then).total_seconds()))
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def clock(then: datetime | None, now: datetime) -> str:
    """Return `14:02` in the current time zone, with the date if it is not today; a dash for None."""
    if then is None:
        return "–"
    local = timezone.localtime(then)
    same_day = local.date() == timezone.localtime(now).date()
    return f"{local:%H:%M}" if same_day else f"{local.day} {local:%b %H:%M}"


def _first_walk() -> str:
    return "the first walk is running" if _is_running() else "waiting for the first walk"


def _is_running() -> bool:
    return Walk.objects.filter(state=Walk.State.RUNNING).exists()
