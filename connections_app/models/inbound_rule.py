"""Rules that choose the routine for an incoming call."""

from django.core.exceptions import ValidationError
from django.db import models

from connections_app.models.characters import check_are_seen
from connections_app.models.operator import known_time_zone
from connections_app.models.routine import Routine

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class InboundRule(models.Model):
    """One rule: it matches if all of its conditions do; the first rule that matches is used.

    An endpoint is matched whole, or by its beginning if the pattern ends with `*`. The default rule has no
    conditions, comes last, and always exists.
    """

    name = models.CharField(max_length=100)
    rank = models.PositiveIntegerField(default=10, help_text="Lower ranks are tried first.")
    is_active = models.BooleanField("active", default=True)
    is_default = models.BooleanField(default=False, editable=False)
    to_endpoint = models.CharField(
        "called",
        max_length=255,
        default="",
        blank=True,
        help_text="The number or client that was called, such as +14155550100, +4930* or webrtc:ana. "
        "Empty: any.",
    )
    from_endpoint = models.CharField(
        "caller",
        max_length=255,
        default="",
        blank=True,
        help_text="The number or client that calls, in the same way. Empty: any.",
    )
    days = models.CharField(
        max_length=7, default="", blank=True, help_text="Weekdays as digits, 1 for Monday. Empty: every day."
    )
    opens = models.TimeField(null=True, blank=True, help_text="From this time of day. Empty: all day.")
    closes = models.TimeField(
        null=True, blank=True, help_text="Until this time of day; earlier than the start: the next day's."
    )
    time_zone = models.CharField(max_length=64, default="UTC", validators=[known_time_zone])
    routine = models.ForeignKey(Routine, models.PROTECT, limit_choices_to={"archived_at": None})

    class Meta:
        ordering = ("is_default", "rank", "id")
        constraints = (
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="inbound_default_once"
            ),
            models.CheckConstraint(
                condition=models.Q(opens=None, closes=None)
                | models.Q(opens__isnull=False, closes__isnull=False),
                name="inbound_hours_both",
                violation_error_message="Give both times of day, or neither.",
            ),
            models.CheckConstraint(condition=models.Q(days__regex=r"^[1-7]*$"), name="inbound_days_known"),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        check_are_seen({"name": self.name})
        if self.routine_id and self.routine.published is None:
            raise ValidationError({"routine": "This routine is not published yet."})
