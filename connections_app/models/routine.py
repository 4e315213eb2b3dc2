"""Saved routines and their versions."""

from typing import Self

import pgtrigger
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse


class UsedBy(models.TextChoices):
    """The people who may use a routine."""

    OPERATORS = "operators", "All operators"
    SUPERVISORS = "supervisors", "Supervisors only"


class RoutineQuerySet(models.QuerySet["Routine"]):
    def current(self) -> Self:
        """Return routines that are not archived."""
        return self.filter(archived_at=None)

    def usable(self, *, by_supervisor: bool) -> Self:
        """Return published routines that an operator, or a supervisor, may use."""
        usable = self.current().exclude(published=None).select_related("published")
        return usable if by_supervisor else usable.filter(used_by=UsedBy.OPERATORS)


class Routine(models.Model):
    """A named list of commands. The draft is text, since work in progress need not be right yet.

    `revision` grows with each change, so that saving an outdated form is detected.
    """

    name = models.CharField(max_length=100)
    description = models.CharField(max_length=300, default="", blank=True)
    used_by = models.CharField(max_length=16, choices=UsedBy, default=UsedBy.OPERATORS)
    published = models.ForeignKey("RoutineVersion", models.PROTECT, null=True, related_name="+")
    draft = models.TextField(default="", blank=True)
    revision = models.PositiveIntegerField(default=1)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField(auto_now=True)
    archived_at = models.DateTimeField(null=True)

    objects = RoutineQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                Lower("name"),
                name="routine_name_once",
                condition=models.Q(archived_at=None),
                violation_error_message="Another routine has this name.",
            ),
            models.CheckConstraint(
                condition=models.Q(used_by__in=UsedBy.values), name="routine_used_by_known"
            ),
        )

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("routine", kwargs={"pk": self.pk})


class RoutineVersion(models.Model):
    """One published version; calls that use it keep it."""

    routine = models.ForeignKey(Routine, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    commands = models.JSONField()
    note = models.CharField(max_length=300, default="", blank=True)
    author = models.CharField(max_length=150)
    published_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-number",)
        constraints = (models.UniqueConstraint(fields=["routine", "number"], name="routine_version_once"),)
        triggers = (
            pgtrigger.Protect(
                name="never_changed",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("routine", "number", "commands", "note", "author"),
            ),
        )

    def __str__(self) -> str:
        return f"{self.routine.name}, version {self.number}"
