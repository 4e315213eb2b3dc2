"""Rows of Sift's list that could not become a connection, kept with the reason."""

from django.db import models


class UnusableRow(models.Model):
    """One distinct row without a usable id or a known status; parsed again each time it is received."""

    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the payload.")
    connection_id = models.CharField(max_length=255, null=True, db_index=True)
    payload = models.JSONField(null=True)
    reason = models.TextField()
    first_seen_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField()
    times = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name_plural = "unusable rows"
        ordering = ("-last_seen_at", "-id")

    def __str__(self) -> str:
        return self.reason
