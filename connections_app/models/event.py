"""The changes of a call after it was first seen: what changed, from which source, and when."""

from django.db import models

from connections_app.models.connection import Connection, Source


class ConnectionEvent(models.Model):
    """One change of one call, written by the trigger on `Connection`.

    `changes` maps a field's name to `[before, after]`, as JSON.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="events", db_index=False)
    change_number = models.BigIntegerField()
    source = models.CharField(max_length=16, choices=Source)
    at = models.DateTimeField()
    changes = models.JSONField()

    class Meta:
        indexes = (models.Index(fields=["connection", "change_number"], name="event_timeline"),)

    def __str__(self) -> str:
        return f"change {self.change_number} of {self.connection_id}"
