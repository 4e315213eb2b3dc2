"""The state of the sync, and the walks that it has made."""

from datetime import timedelta

from django.db import models


class ListOrder(models.TextChoices):
    """The order of Sift's list, detected from the data."""

    UNKNOWN = "", "Not known yet"
    NEWEST_FIRST = "newest", "Newest first"
    OLDEST_FIRST = "oldest", "Oldest first"


class SyncState(models.Model):
    """One row: the lease for walking, and where the next walk continues.

    `fence` grows by one with each holder; every commit of a walk checks that its own number is still valid.
    `watermark` is the start time up to which the list's head is known, by Sift's clock; only a completed
    pass moves it. `full_cursor` is the page where an unfinished full walk continues.
    """

    fence = models.BigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    order = models.CharField(max_length=8, choices=ListOrder, default=ListOrder.UNKNOWN, blank=True)
    watermark = models.DateTimeField(null=True)
    tail_cursor = models.TextField(default="", blank=True)
    full_cursor = models.TextField(default="", blank=True)
    full_mark = models.DateTimeField(null=True)
    full_wanted = models.BooleanField(default=True)
    full_completed_at = models.DateTimeField(null=True)
    heard_at = models.DateTimeField(null=True, help_text="When Sift last answered.")
    fresh_at = models.DateTimeField(null=True, help_text="When the newest calls were last read to the end.")
    not_before = models.DateTimeField(null=True, help_text="Until when Sift asked us to wait.")
    failing_since = models.DateTimeField(null=True)
    error = models.TextField(default="", blank=True)
    paused_at = models.DateTimeField(null=True)
    paused_by = models.CharField(max_length=150, default="", blank=True)

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="sync_state_only_one"),)
        permissions = (("run_sync", "Can start, pause and resume the sync"),)

    def __str__(self) -> str:
        return "sync state"

    @property
    def knows_recent(self) -> bool:
        """Return True if it is known where new calls begin in the list."""
        if self.order == ListOrder.NEWEST_FIRST:
            return self.watermark is not None
        return self.order == ListOrder.OLDEST_FIRST and bool(self.tail_cursor)


class Walk(models.Model):
    """One walk over Sift's list: what it covered, what it found, and how it ended."""

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        COMPLETED = "completed", "Completed"
        FAILED = "failed", "Failed"
        INTERRUPTED = "interrupted", "Interrupted"

    class Origin(models.TextChoices):
        SCHEDULE = "schedule", "Schedule"
        COMMAND = "command", "Command"
        PERSON = "person", "Person"

    full = models.BooleanField()
    origin = models.CharField(max_length=16, choices=Origin)
    asked_by = models.CharField(max_length=150, default="", blank=True)
    fence = models.BigIntegerField()
    state = models.CharField(max_length=16, choices=State, default=State.RUNNING)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    pages = models.PositiveIntegerField(default=0)
    seen = models.PositiveBigIntegerField(default=0)
    created = models.PositiveBigIntegerField(default=0)
    updated = models.PositiveBigIntegerField(default=0)
    unusable = models.PositiveBigIntegerField(default=0)
    read_again = models.PositiveIntegerField(default=0)
    odd_values = models.PositiveIntegerField(default=0)
    oddities = models.JSONField(default=list)
    error = models.TextField(default="", blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                models.F("state"), condition=models.Q(state="running"), name="walk_only_one_running"
            ),
        )
        indexes = (
            # The admin's filters; there is a walk every few seconds, and few of them fail or are full.
            models.Index(fields=["id"], name="walk_not_completed", condition=~models.Q(state="completed")),
            models.Index(fields=["id"], name="walk_full", condition=models.Q(full=True)),
        )

    def __str__(self) -> str:
        return f"walk {self.pk}"

    @property
    def duration(self) -> timedelta | None:
        """Return how long the walk took; None while it runs."""
        return self.finished_at - self.started_at if self.finished_at else None
