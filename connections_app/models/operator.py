"""Operators: the people who sign in."""

import zoneinfo

import phonenumbers
from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower


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
    if name not in zoneinfo.available_timezones():
        raise ValidationError(
            "“%(name)s” is not a time zone; use a name such as Europe/Berlin.", params={"name": name}
        )


def known_country(code: str) -> None:
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
                Lower("client_name"),
                name="operator_client_name_once",
                violation_error_message="Another operator has this client name.",
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
        """What people read: the full name, else what is typed to sign in."""
        return self.get_full_name() or self.get_username()

    @property
    def dials_from(self) -> str:
        """The country that numbers typed without a + belong to."""
        return self.country or settings.DEFAULT_COUNTRY

    def clean(self) -> None:
        super().clean()
        self.client_name = self.client_name or None
        self.country = self.country.upper()
