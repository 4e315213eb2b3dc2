"""Tags on calls, one by one or on many at once; bulk taggings can be undone."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from connections_app.models.connection import Connection


class Colour(models.TextChoices):
    """The names of Tabler's colours."""

    BLUE = "blue", "Blue"
    TEAL = "teal", "Teal"
    GREEN = "green", "Green"
    YELLOW = "yellow", "Yellow"
    ORANGE = "orange", "Orange"
    RED = "red", "Red"
    PINK = "pink", "Pink"
    PURPLE = "purple", "Purple"
    SECONDARY = "secondary", "Grey"


class Tag(models.Model):
    name = models.CharField(max_length=50)
    colour = models.CharField(max_length=16, choices=Colour, default=Colour.BLUE)
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = (Lower("name"),)
        permissions = (("tag_calls", "Can tag calls, one or many"),)
        constraints = (
            models.UniqueConstraint(
                Lower("name"), name="tag_name_once", violation_error_message="There is a tag of this name."
            ),
            models.CheckConstraint(condition=models.Q(colour__in=Colour.values), name="tag_colour_known"),
        )

    def __str__(self) -> str:
        return self.name


class CallTag(models.Model):
    """One tag on one call. `at` is a copy of the call's, kept equal by a trigger on `Connection`, so that an
    index can order the list of a tag's calls."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="call_tags", db_index=False)
    tag = models.ForeignKey(Tag, models.CASCADE, related_name="call_tags", db_index=False)
    at = models.DateTimeField()
    tagged_by = models.CharField(max_length=150)
    tagged_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["connection", "tag"], name="call_tag_once"),)
        indexes = (
            # The list of one tag's calls.
            models.Index(fields=["tag", "at", "connection"], name="call_tag_order"),
        )

    def __str__(self) -> str:
        return f"{self.tag} on {self.connection_id}"


class BulkTagging(models.Model):
    """One tag added to or removed from many calls: the selected ones, or all that match a query string.

    `keys` are the selected calls; NULL means all that match `query`, read in the zone `time_zone`, up to
    `last_key`, the newest call at the time of the request. `cursor` is the key of the last call done, from
    which interrupted work continues.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        STOPPED = "stopped", "Stopped"
        UNDOING = "undoing", "Being undone"
        UNDONE = "undone", "Undone"
        FAILED = "failed", "Failed"

    tag = models.ForeignKey(Tag, models.CASCADE)
    adds = models.BooleanField()
    operator = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    operator_name = models.CharField(max_length=150)
    keys = models.JSONField(null=True)
    query = models.TextField(default="", blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    counted = models.PositiveIntegerField(help_text="How many calls matched when it was asked for.")
    last_key = models.BigIntegerField(default=0)
    cursor = models.BigIntegerField(default=0)
    seen = models.PositiveIntegerField(default=0, help_text="How many calls were dealt with.")
    changed = models.PositiveIntegerField(default=0, help_text="How many calls got or lost the tag.")
    undone = models.PositiveIntegerField(default=0, help_text="How many of these were put back since.")
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    reason = models.TextField(default="", blank=True)
    asked_at = models.DateTimeField(default=timezone.now)
    working_since = models.DateTimeField(null=True, help_text="When a worker last said that it is at it.")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(
                fields=["asked_at"],
                name="bulk_tagging_open",
                condition=models.Q(state__in=["waiting", "running", "undoing"]),
            ),
        )

    def __str__(self) -> str:
        return f"{self.tag} on {self.counted} calls"


class BulkTagged(models.Model):
    """A call that a bulk tagging changed, until that is undone.

    `tagged_by` and `tagged_at` are copies from the tag that was added, so that undoing keeps one that was
    added later, or from the tag that was removed, which undoing restores unchanged.
    """

    bulk = models.ForeignKey(BulkTagging, models.CASCADE, related_name="tagged", db_index=False)
    connection = models.ForeignKey(Connection, models.CASCADE, db_index=False)
    tagged_by = models.CharField(max_length=150)
    tagged_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["bulk", "connection"], name="bulk_tagged_once"),)

    def __str__(self) -> str:
        return f"{self.bulk_id} on {self.connection_id}"
