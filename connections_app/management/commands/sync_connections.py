"""Sync in the foreground, with a progress bar."""

import signal
import threading
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from connections_app.management.prepared import PreparedCommand
from connections_app.models import SyncState, Walk
from connections_app.sift.client import SiftClient
from connections_app.sync.account import WrongAccount
from connections_app.sync.walk import WalkRequest, walk, want_full_walk

LEASE_RETRY_SECONDS = 1.0


class Command(PreparedCommand):
    help = "Sync calls from Sift now. The first time, and with --full, the whole list is walked."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--full", action="store_true", help="walk the whole list, not only the recent calls"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        try:
            self.report(self.sync(options["full"], stop))
        except WrongAccount as error:
            raise CommandError(str(error)) from None

    def sync(self, full: bool, stop: threading.Event) -> Walk:
        """Make one walk, after Sift's wait and any other walk. Raises `CommandError` if stopped."""
        if full:
            want_full_walk()
        self.wait_for_sift(stop)
        client = SiftClient.configured(stop)
        is_announced = False
        with tqdm(unit=" rows", unit_scale=False, desc="Syncing", disable=None) as bar:
            while not stop.is_set():
                made = walk(
                    client,
                    WalkRequest(Walk.Origin.COMMAND),
                    may_be_long=True,
                    stop=stop,
                    progress=lambda record: show(bar, record),
                )
                if made:
                    return made
                if not is_announced:
                    self.stderr.write("Another walk is being made; waiting for its end.")
                    is_announced = True
                stop.wait(LEASE_RETRY_SECONDS)
        raise CommandError("Stopped before it was our turn.")

    def wait_for_sift(self, stop: threading.Event) -> None:
        """Wait until the time that Sift's Retry-After set, or until `stop`."""
        until = SyncState.objects.get().not_before
        seconds = (until - timezone.now()).total_seconds() if until else 0
        if seconds > 0:
            self.stderr.write(f"Sift asked us to wait; going on in {seconds:.0f} s.")
            stop.wait(seconds)

    def report(self, made: Walk) -> None:
        """Print the counts of a walk. Raises `CommandError` if it did not complete."""
        seconds = made.duration.total_seconds() if made.duration else 0.0
        rate = f"{made.seen / seconds:,.0f} rows/s" if seconds else "–"
        self.stdout.write(
            f"{made.pages} pages, {made.seen} rows seen, {made.created} created, {made.updated} updated, "
            f"{made.unusable} rejected, {made.read_again} read one by one; {seconds:.1f} s, {rate}"
        )
        if made.state != Walk.State.COMPLETED:
            raise CommandError(made.error)


def show(bar: Any, record: Walk) -> None:
    """Show the progress of a walk on the bar."""
    bar.update(record.seen - bar.n)
    bar.set_postfix(pages=record.pages, created=record.created, updated=record.updated, refresh=False)
