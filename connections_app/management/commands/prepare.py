"""Bring the database up to date before the dashboard starts, or say why it must not start."""

import secrets
from typing import Any

import redis
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from connections_app.models import Operator
from connections_app.people.roles import make_administrator
from connections_app.sync.account import WrongAccount, claim


class Command(BaseCommand):
    help = "Migrate, check whose database this is, and create the first administrator. Prints how to sign in."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            call_command("migrate", interactive=False, verbosity=0)
            claim()
            redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=5).ping()
        except (WrongAccount, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from None
        except OperationalError as error:
            raise CommandError(f"The database cannot be used: {' '.join(str(error).split())}") from None
        except redis.RedisError as error:
            raise CommandError(f"The broker that REDIS_URL names cannot be used: {error}") from None
        if Operator.objects.exists():
            self.stdout.write(
                "Sign in with your account; a forgotten password: script/manage changepassword NAME"
            )
        else:
            self.stdout.write(self.first_administrator())

    def first_administrator(self) -> str:
        """Create the first administrator; the words that say how to sign in."""
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
