"""The base of commands that need a database prepared for this version."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError
from psycopg.errors import InsufficientPrivilege

from connections_app.engines import schema


class PreparedCommand(BaseCommand):
    """A command that fails with one line if the database is missing, not prepared or another version's."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            schema.check_version()
            return super().execute(*args, **options)
        except schema.SchemaMismatch as problem:
            raise CommandError(str(problem)) from None
        except OperationalError as problem:
            raise CommandError(f"The database cannot be used: {on_one_line(problem)}") from None
        except ProgrammingError as problem:
            if not isinstance(problem.__cause__, InsufficientPrivilege):
                raise
            raise CommandError(
                f"The database cannot be used: {on_one_line(problem)}. {schema.PREPARE}"
            ) from None


def on_one_line(problem: Exception) -> str:
    """Return the message of `problem` on one line."""
    return " ".join(str(problem).split())
