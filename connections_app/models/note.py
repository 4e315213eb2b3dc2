"""Notes that people write about calls, with the texts before each edit."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.utils import timezone

from connections_app.models.connection import Connection


class Note(models.Model):
    """Plain text by one person. `edited_at` is empty until it is changed, `removed_at` until it is removed.

    `request_id` is the id of the form: the same form sent twice makes one note.
    """

    request_id = models.UUIDField(unique=True, default=uuid4, editable=False)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    author_name = models.CharField(max_length=150)
    text = models.TextField(max_length=10_000)
    written_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)
    removed_by = models.CharField(max_length=150, default="", blank=True)

    class Meta:
        permissions = (("write_notes", "Can write notes to calls"),)

    def __str__(self) -> str:
        return f"note by {self.author_name}"


class EarlierText(models.Model):
    """The text of a note before one edit, and the person who changed it."""

    note = models.ForeignKey(Note, models.CASCADE, related_name="earlier_texts")
    text = models.TextField()
    replaced_at = models.DateTimeField(default=timezone.now)
    replaced_by = models.CharField(max_length=150)

    def __str__(self) -> str:
        return f"{self.note} before {self.replaced_at:%Y-%m-%d %H:%M:%S}"
