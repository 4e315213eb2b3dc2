"""Operators: the people who sign in."""

import zoneinfo

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
    theme = models.CharField(max_length=8, choices=Theme, default=Theme.SYSTEM)

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

    def clean(self) -> None:
        super().clean()
        self.client_name = self.client_name or None
