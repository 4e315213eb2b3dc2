"""Walk over Sift's list and store its rows in the database.

A walk reads the recent calls. If a full walk is due, it also reads the whole list; otherwise it retrieves one
by one the calls in progress that it did not see. The task, the command and the button call `walk`.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from connections_app.calls import refresh
from connections_app.calls.ingest import Changes, ingest
from connections_app.calls.notify import announce
from connections_app.calls.unusable_rows import discard_resolved, store_unusable
from connections_app.models import ListOrder, Source, SyncState, UnusableRow, Walk
from connections_app.models.connection import IN_PROGRESS
from connections_app.sift.client import SiftClient
from connections_app.sift.errors import Refused, SiftError, Unreachable, WrongCredentials
from connections_app.sift.payloads import Page
from connections_app.sync import account, lease
from connections_app.sync.order import is_older, mark_of, order_of
from connections_app.sync.pages import batches

logger = logging.getLogger(__name__)

# The walk fails after this many single calls could not be retrieved: Sift is then unreachable.
MAX_READ_AGAIN_FAILURES = 3


class Interrupted(Exception):
    """The walk was stopped; the next one continues from the same place."""

    def __str__(self) -> str:
        return "Stopped before the end; the next walk goes on from here."


class StartOver(Exception):
    """The list is in another order than the stored one, or Sift refused a stored cursor."""


@dataclass(frozen=True, slots=True)
class WalkRequest:
    """The origin of a walk: the schedule, a command, or a person, whose name is `by`."""

    origin: Walk.Origin
    by: str = ""


def walk(
    client: SiftClient,
    request: WalkRequest,
    *,
    may_be_long: bool,
    stop: threading.Event | None = None,
    progress: Callable[[Walk], None] = lambda walk: None,
) -> Walk | None:
    """Make one walk and return its record, or None while another walk is running.

    The whole list is walked if `SyncState.full_wanted` and `may_be_long`, otherwise only the recent calls.
    `progress` is called after each commit. What was committed stays, even if the walk fails later. Sift's
    errors are stored in the record. Raises `account.WrongAccount`.
    """
    account.claim()
    held = lease.take()
    if held is None:
        return None
    stop = stop or threading.Event()
    walking = _Walking(client, held, _begin(held, request), stop, progress)
    try:
        walking.go(may_be_long)
        walking.end(Walk.State.COMPLETED)
    except SiftError as error:
        walking.end(
            Walk.State.FAILED, str(error), error.retry_after if isinstance(error, Unreachable) else None
        )
        if isinstance(error, Refused):
            walking.note_answer()
    except (Interrupted, lease.LeaseLost) as error:
        walking.end(Walk.State.INTERRUPTED, str(error))
    except BaseException as error:
        walking.end(Walk.State.FAILED, f"The dashboard itself failed: {type(error).__name__}.")
        raise
    finally:
        held.release()
    walking.record.refresh_from_db()
    return walking.record


def want_full_walk() -> None:
    """Request a full walk of the list, from its start unless a full walk is already in progress."""
    SyncState.objects.filter(full_wanted=False).update(full_wanted=True, full_cursor="", full_mark=None)


def _begin(held: lease.Lease, request: WalkRequest) -> Walk:
    with transaction.atomic():
        held.renew()
        Walk.objects.filter(state=Walk.State.RUNNING).update(
            state=Walk.State.INTERRUPTED,
            finished_at=timezone.now(),
            error="Cut off: the process that made this walk ended, or slept for longer than its lease.",
        )
        return Walk.objects.create(full=False, origin=request.origin, asked_by=request.by, fence=held.fence)


@dataclass
class _Walking:
    """A running walk: its lease, its record, and what it has seen."""

    client: SiftClient
    held: lease.Lease
    record: Walk
    stop: threading.Event
    progress: Callable[[Walk], None]
    live_seen: set[str] = field(default_factory=set)
    recent_read: float = field(default_factory=time.monotonic)
    # Read once, since only the holder of the lease changes it, except for `full_wanted`.
    state: SyncState = field(default_factory=SyncState.objects.get)
    has_unusable: bool = field(default_factory=UnusableRow.objects.exists)

    def go(self, may_be_long: bool) -> None:
        try:
            self._go(may_be_long)
        except StartOver:
            self.commit([], order=ListOrder.UNKNOWN, tail_cursor="", full_cursor="", full_wanted=True)
            if may_be_long:
                self._go(may_be_long)
        if not self.record.full:
            self.read_again()

    def _go(self, may_be_long: bool) -> None:
        self.recent()
        if may_be_long and SyncState.objects.get().full_wanted:
            self.everything()
            self.recent()

    def recent(self) -> None:
        """Read the calls that were added to the list since the last walk."""
        state = self.state
        if state.order == ListOrder.NEWEST_FIRST and state.watermark:
            self.head(state)
        elif state.order == ListOrder.OLDEST_FIRST and state.tail_cursor:
            self.tail(state)
        self.recent_read = time.monotonic()

    def head(self, state: SyncState) -> None:
        """Read a list with the newest first, down to the watermark; raise the watermark only at the end."""
        watermark = state.watermark
        assert watermark is not None  # noqa: S101 - narrows the type
        first: Page | None = None
        for pages in batches(
            self.client, self.client.list_url, lambda page: is_older(page.observations, watermark)
        ):
            if pages and first is None:
                first = pages[0]
                expect(state.order, first)
            self.commit(pages)
        mark = mark_of(first.observations) if first else None
        self.commit([], fresh_at=timezone.now(), watermark=max(mark, watermark) if mark else watermark)

    def tail(self, state: SyncState) -> None:
        """Read a list with the oldest first, from the last page read to the end."""
        with _stored_cursor():
            for pages in batches(self.client, self.client.absolute(state.tail_cursor), _never):
                if pages:
                    expect(state.order, pages[0])
                reached = _resumable(pages)
                self.commit(pages, **({"tail_cursor": self.client.relative(reached.url)} if reached else {}))
        self.commit([], fresh_at=timezone.now())

    def everything(self) -> None:
        """Read the whole list from the stored cursor, and at each sync interval the recent calls."""
        state = self.state
        self.record.full = True
        start = self.client.absolute(state.full_cursor) if state.full_cursor else self.client.list_url
        with _stored_cursor(bool(state.full_cursor)):
            for pages in batches(self.client, start, _never):
                self.commit(pages, **self.known_from(pages))
                if time.monotonic() - self.recent_read >= settings.SYNC_INTERVAL_SECONDS:
                    self.recent()
        self.completed_everything()

    def completed_everything(self) -> None:
        """Record that the list was read to its end. The full walk stays due if the order is still unknown."""
        now = timezone.now()
        if self.state.knows_recent:
            self.commit([], full_cursor="", full_completed_at=now, full_wanted=False)
        else:
            self.commit([], full_cursor="", full_completed_at=now, fresh_at=now)

    def known_from(self, pages: Sequence[Page]) -> dict[str, lease.Value]:
        """Return what these pages of a full walk show: the list's order, its mark and the next cursor."""
        if not pages:
            return {}
        state = self.state
        known: dict[str, lease.Value] = {}
        if reached := _resumable(pages):
            known["full_cursor"] = self.client.relative(reached.next_url or reached.url)
        first_mark = next(filter(None, (mark_of(page.observations) for page in pages)), None)
        mark = state.full_mark if state.full_cursor else first_mark
        order = ListOrder(state.order) or next(filter(None, (order_of(p.observations) for p in pages)), "")
        if order == ListOrder.NEWEST_FIRST and not state.watermark:
            known["watermark"] = mark
        if order == ListOrder.OLDEST_FIRST and pages[-1].is_end:
            known["tail_cursor"] = self.client.relative(pages[-1].url)
        return known | {"full_mark": mark, "order": order}

    def read_again(self) -> None:
        """Retrieve one by one the calls in progress that this walk did not see, within the budget."""
        client = self.client.with_short_timeout()
        failures = 0
        for connection in list(refresh.due(self.live_seen)):
            self.check_stop()
            try:
                answer = refresh.ask(client, connection)
            except Unreachable:
                failures += 1
                self.settle(partial(refresh.put_off, connection))
                if failures == MAX_READ_AGAIN_FAILURES:
                    raise
            else:
                self.settle(partial(refresh.settle, connection, answer))

    def settle(self, store: Callable[[], Changes]) -> None:
        with transaction.atomic():
            self.held.renew()
            self.count(store(), read_again=1)
        self.progress(self.record)

    def commit(self, pages: Sequence[Page], **progress: lease.Value) -> None:
        """Store a batch of pages and the progress of the sync, in one transaction that checks the lease."""
        self.check_stop()
        observations = [one for page in pages for one in page.observations]
        unusable = [one for page in pages for one in page.unusable]
        if pages:
            progress["heard_at"] = timezone.now()
        with transaction.atomic():
            self.held.renew(**progress)
            changes = ingest(observations, Source.LIST)
            if self.has_unusable and observations:
                discard_resolved(observations)
            if unusable:
                store_unusable(unusable)
                self.has_unusable = True
            self.count(
                changes,
                pages=len(pages),
                seen=len(observations) + len(unusable),
                unusable=len(unusable),
            )
        for name, value in progress.items():
            setattr(self.state, name, value)
        self.live_seen.update(one.connection_id for one in observations if one.status in IN_PROGRESS)
        self.progress(self.record)

    def count(self, changes: Changes, **counts: int) -> None:
        counts |= {"created": len(changes.created), "updated": len(changes.updated)}
        for name, more in counts.items():
            setattr(self.record, name, getattr(self.record, name) + more)
        if any(counts.values()):
            self.record.save(update_fields=["full", *counts])

    def check_stop(self) -> None:
        if self.stop.is_set():
            raise Interrupted

    def note_answer(self) -> None:
        """Record that Sift answered, although it refused the request."""
        SyncState.objects.filter(fence=self.held.fence).update(heard_at=timezone.now())

    def end(self, outcome: Walk.State, error: str = "", retry_after: timedelta | None = None) -> None:
        """Close the record, and store on `SyncState` whether Sift works."""
        Walk.objects.filter(pk=self.record.pk, state=Walk.State.RUNNING).update(
            state=outcome, finished_at=timezone.now(), error=error, full=self.record.full
        )
        now = timezone.now()
        ours = SyncState.objects.filter(fence=self.held.fence)
        if outcome == Walk.State.COMPLETED:
            ours.update(failing_since=None, error="", not_before=None)
        elif outcome == Walk.State.FAILED:
            ours.filter(failing_since=None).update(failing_since=now)
            ours.update(error=error, not_before=now + retry_after if retry_after else None)
            logger.warning("Walk %s failed: %s", self.record.pk, error)
        announce()


def _resumable(pages: Sequence[Page]) -> Page | None:
    """Return the last page to continue from later: not an empty one, since the empty pages may not end."""
    return next((page for page in reversed(pages) if page.is_end or not page.is_empty), None)


def expect(order: str, page: Page) -> None:
    """Raise `StartOver` if a page is clearly in the other order."""
    seen = order_of(page.observations)
    if seen != ListOrder.UNKNOWN and seen != order:
        raise StartOver


@contextmanager
def _stored_cursor(is_stored: bool = True) -> Iterator[None]:
    """Raise `StartOver` if Sift refuses a stored cursor."""
    try:
        yield
    except WrongCredentials:
        raise
    except Refused as error:
        if not is_stored:
            raise
        logger.info("Sift does not take the stored cursor; walking anew: %s", error)
        raise StartOver from error


def _never(page: Page) -> bool:
    return False
