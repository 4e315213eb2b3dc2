"""Callbacks from Sift, with our answers."""

from django.db import models

from connections_app.models.connection import Connection
from connections_app.models.requests import CallRequest
from connections_app.models.script import Step


class Callback(models.Model):
    """One distinct callback: the same body at the same address is one row, received `times` times.

    `answer` is the last one given, and `note` says why it holds no routine; `milliseconds` is the time from
    its first arrival to the write of this row.
    """

    class Kind(models.TextChoices):
        STATUS = "status", "Status"
        INCOMING = "incoming", "Incoming call"
        DONE = "done", "Command done"

    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the address and the body.")
    kind = models.CharField(max_length=16, choices=Kind)
    connection = models.ForeignKey(
        Connection, models.CASCADE, null=True, related_name="callbacks", db_index=False
    )
    call_request = models.ForeignKey(CallRequest, models.CASCADE, null=True)
    step = models.ForeignKey(Step, models.CASCADE, null=True)
    body = models.JSONField(null=True)
    status = models.PositiveSmallIntegerField()
    answer = models.JSONField(null=True)
    note = models.TextField(
        default="", blank=True, help_text="Why Sift was not given a routine that it could have had."
    )
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    times = models.PositiveIntegerField(default=1)
    milliseconds = models.FloatField()

    class Meta:
        indexes = (
            models.Index(fields=["connection", "first_at"], name="callback_timeline"),
            # Refused callbacks, for the admin: few.
            models.Index(fields=["id"], name="callback_refused", condition=models.Q(status__gte=400)),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} callback"
