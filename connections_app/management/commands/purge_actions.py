"""Delete old rows of the audit log: the only way to do so, which is itself recorded."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import connection as database

from connections_app.management.prepared import PreparedCommand

MIN_DAYS = 30
MAX_DAYS = 36_500


class Command(PreparedCommand):
    help = "Delete actions older than so many days; that it was done stays on record."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--older-than", type=int, required=True, metavar="DAYS")

    def handle(self, *args: Any, older_than: int, **options: Any) -> None:
        if older_than < MIN_DAYS:
            raise CommandError(f"--older-than is {older_than}; at least {MIN_DAYS} days are kept.")
        if older_than > MAX_DAYS:
            raise CommandError(f"--older-than is {older_than}; expected at most {MAX_DAYS} days.")
        with database.cursor() as cursor:
            cursor.execute("SELECT connections_app_purge_actions(%s)", [older_than])
            (outcome,) = cursor.fetchone()
        self.stdout.write(f"Purged {outcome}")
