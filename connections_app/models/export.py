"""Exports of the list of calls that are made in the background."""

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone


class Export(models.Model):
    """One file of all calls that match `query`, with times in `time_zone`, and with these columns.

    The file `file_name` holds `written` rows so far, in `length` bytes.
    """

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        NDJSON = "ndjson", "NDJSON"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        STOPPED = "stopped", "Stopped"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="exports")
    format = models.CharField(max_length=8, choices=Format)
    query = models.TextField(default="", blank=True)
    columns = models.JSONField()
    time_zone = models.CharField(max_length=64)
    name = models.CharField(max_length=200, help_text="The name under which it is fetched.")
    counted = models.BigIntegerField(help_text="How many calls were expected when it was asked for.")
    written = models.BigIntegerField(default=0)
    length = models.BigIntegerField(default=0)
    file_name = models.CharField(max_length=100, default="", blank=True)
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    reason = models.TextField(default="", blank=True)
    asked_at = models.DateTimeField(default=timezone.now)
    working_since = models.DateTimeField(null=True, help_text="When a worker last said that it works on it.")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(
                fields=["asked_at"],
                name="export_open",
                condition=models.Q(state__in=["waiting", "running"]),
            ),
        )

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("export", kwargs={"pk": self.pk})
