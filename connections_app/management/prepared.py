"""Commands that work with the tables, and so need a database that fits this version."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError
from psycopg.errors import InsufficientPrivilege

from connections_app.engines import schema


class PreparedCommand(BaseCommand):
    """Ends with one clear line where the database is not there, not prepared, or another version's."""

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
    return " ".join(str(problem).split())
