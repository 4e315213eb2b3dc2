"""Bring the database up to date before the dashboard starts, or fail if it must not start."""

import secrets
from typing import Any

import psycopg
import redis
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.db.migrations.exceptions import MigrationSchemaMissing

from connections_app.engines import rights, schema
from connections_app.management.prepared import on_one_line
from connections_app.models import Operator
from connections_app.people.roles import make_administrator
from connections_app.sync.account import WrongAccount, claim
from sift_dashboard.broker import broker_problem
from sift_dashboard.celery import app as celery


class Command(BaseCommand):
    help = "Migrate, check whose database this is, and create the first administrator. Prints how to sign in."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with schema.preparation_lock():
                self.bring_up_to_date()
                claim()
                redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=5, socket_timeout=5).ping()
                if problem := broker_problem(celery):
                    raise redis.RedisError(str(problem))
                self.stdout.write(self.how_to_sign_in())
        except (WrongAccount, ImproperlyConfigured, schema.SchemaMismatch) as error:
            raise CommandError(str(error)) from None
        except (DatabaseError, psycopg.Error, MigrationSchemaMissing) as error:
            raise CommandError(f"The database cannot be used: {in_words(error)}") from None
        except redis.RedisError as error:
            raise CommandError(f"The broker that REDIS_URL names cannot be used: {error}") from None

    def bring_up_to_date(self) -> None:
        """Migrate, create missing indexes, and grant the application's role its rights."""
        schema.check_not_newer()
        call_command("migrate", interactive=False, verbosity=0)
        for index in schema.repair():
            self.stderr.write(f"The index {index} was missing, and was made.")
        if settings.APPLICATION_ROLE:
            rights.grant(settings.APPLICATION_ROLE)

    def how_to_sign_in(self) -> str:
        """Return how to sign in; creates the first administrator if there is no operator."""
        if Operator.objects.exists():
            return "Sign in with your account; a forgotten password: script/manage changepassword NAME"
        return self.first_administrator()

    def first_administrator(self) -> str:
        """Create the first administrator and return how to sign in. Raises `CommandError`."""
        name, password = settings.ADMIN_USERNAME, settings.ADMIN_PASSWORD
        administrator = Operator(username=name, email="")
        try:
            administrator.full_clean(exclude=["password"])
            if password:
                validate_password(password, administrator)
        except ValidationError as error:
            raise CommandError(f"ADMIN_USERNAME or ADMIN_PASSWORD: {' '.join(error.messages)}") from None
        administrator.set_password(password or (generated := secrets.token_urlsafe(12)))
        make_administrator(administrator)
        if password:
            return f"Sign in as {name} with the password from ADMIN_PASSWORD."
        return f"Sign in as {name} with the password {generated} (shown this once)."


def in_words(error: Exception) -> str:
    """Return the server's message on one line, with what its administrator must do, if anything."""
    message = on_one_line(error)
    cause = error.__cause__ or error
    if isinstance(error, MigrationSchemaMissing) or isinstance(cause, psycopg.errors.InsufficientPrivilege):
        return (
            f"{message}. An administrator of the server has to let this role create tables (GRANT CREATE ON "
            "SCHEMA public), and to create what it may not: CREATE EXTENSION pg_trgm."
        )
    if isinstance(cause, psycopg.errors.UndefinedFile | psycopg.errors.FeatureNotSupported):
        return f"{message}. PostgreSQL's additional modules (the package postgresql-contrib) are needed."
    return message
