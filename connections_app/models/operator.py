"""Operators: the people who sign in."""

import zoneinfo

import pgtrigger
import phonenumbers
from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models

from connections_app.models.case_folding import Folded
from connections_app.models.characters import check_are_seen


class Role(models.TextChoices):
    """The four roles, lowest first; each is a Django group of the same name."""

    VIEWER = "Viewer"
    OPERATOR = "Operator"
    SUPERVISOR = "Supervisor"
    ADMINISTRATOR = "Administrator"


class Theme(models.TextChoices):
    SYSTEM = "system", "As my system"
    LIGHT = "light", "Light"
    DARK = "dark", "Dark"


def known_time_zone(name: str) -> None:
    """Raise `ValidationError` if `name` is not an IANA time zone."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(
            "“%(name)s” is not a time zone; use a name such as Europe/Berlin.", params={"name": name}
        )


def known_country(code: str) -> None:
    """Raise `ValidationError` if `code` is not the two letters of a country."""
    if code.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise ValidationError(
            "“%(code)s” is not a country; use two letters such as US.", params={"code": code}
        )


class Operator(AbstractUser):
    client_name = models.CharField(
        max_length=255,
        null=True,
        blank=True,
        help_text="The name under which this person's browser phone is known to Sift, without “webrtc:”.",
    )
    time_zone = models.CharField(
        max_length=64,
        default="UTC",
        validators=[known_time_zone],
        help_text="Times are shown, and days are counted, in this zone.",
    )
    country = models.CharField(
        max_length=2,
        default="",
        blank=True,
        validators=[known_country],
        help_text="Two letters, such as US: numbers typed without a + belong to it.",
    )
    theme = models.CharField(max_length=8, choices=Theme, default=Theme.SYSTEM)
    hidden_columns = models.JSONField(
        default=dict, blank=True, editable=False, help_text="By list, the columns that this person hides."
    )

    class Meta(AbstractUser.Meta):
        verbose_name = "operator"
        verbose_name_plural = "operators"
        constraints = (
            models.UniqueConstraint(
                Folded("client_name"),
                name="operator_client_name_once",
                violation_error_message="Another operator has this client name.",
            ),
        )
        triggers = (
            pgtrigger.Trigger(
                name="name_is_never_anothers",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("username"),  # type: ignore[no-untyped-call]
                func="""
                    INSERT INTO connections_app_username (name, operator_id) VALUES (NEW.username, NEW.id)
                    ON CONFLICT (name) DO NOTHING;
                    IF NOT EXISTS (
                        SELECT FROM connections_app_username
                        WHERE name = NEW.username AND operator_id = NEW.id
                    ) THEN
                        RAISE unique_violation USING
                            MESSAGE = 'this user name was another person''s';
                    END IF;
                    RETURN NULL;
                """,
            ),
        )
        permissions = (
            ("place_call", "Can place calls, and steer their own"),
            ("steer_any_call", "Can steer every call"),
            ("edit_routines", "Can write and publish routines"),
            ("see_addresses", "Can see the addresses that Sift calls back"),
        )

    @property
    def shown_name(self) -> str:
        """Return the name for people: the full name, else the user name."""
        return self.get_full_name() or self.get_username()

    @property
    def dials_from(self) -> str:
        """Return the two-letter country that numbers typed without a + belong to."""
        return self.country or settings.DEFAULT_COUNTRY

    def clean(self) -> None:
        super().clean()
        names = ("username", "first_name", "last_name", "client_name")
        check_are_seen({name: getattr(self, name) for name in names})
        if UserName.objects.filter(name=self.username).exclude(operator_id=self.pk).exists():
            raise ValidationError(
                {"username": "This name was another person’s, whose deeds are on record under it."}
            )
        self.client_name = self.client_name or None
        self.country = self.country.upper()


class UserName(models.Model):
    """A user name that is or was in use: no other person gets it, so that the audit log stays unambiguous.

    A trigger of `Operator` adds the rows. They outlive the operator.
    """

    name = models.CharField(max_length=150, unique=True)
    operator_id = models.BigIntegerField(db_index=True)

    def __str__(self) -> str:
        return self.name
