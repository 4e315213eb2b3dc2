"""Take old rows out of the record of actions: the one way to do so, and on record itself."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from connections_app.models import Action, Verb
from connections_app.recording import record

FEWEST_DAYS = 30


class Command(BaseCommand):
    help = "Delete actions older than so many days; that it was done stays on record."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--older-than", type=int, required=True, metavar="DAYS")

    def handle(self, *args: Any, older_than: int, **options: Any) -> None:
        if older_than < FEWEST_DAYS:
            raise CommandError(f"--older-than is {older_than}; at least {FEWEST_DAYS} days are kept.")
        until = timezone.now() - timedelta(days=older_than)
        with transaction.atomic(), database.cursor() as cursor:
            cursor.execute("SET LOCAL sift.purge = 'on'")
            cursor.execute("DELETE FROM connections_app_action WHERE at < %s", [until])
            purged = cursor.rowcount
            cursor.execute("SET LOCAL sift.purge = 'off'")
            outcome = f"{purged} actions from before {until:%Y-%m-%d %H:%M} UTC."
            record(Verb.PURGE, Action.Phase.OUTCOME, None, outcome=outcome)
        self.stdout.write(f"Purged {outcome}")
