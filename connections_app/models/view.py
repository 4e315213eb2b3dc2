"""Saved views: named filters of the list of calls."""

import secrets
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone

from connections_app.models.operator import Operator

# The fields that menus and lists of views show.
SHOWN = (
    *("code", "name", "query", "is_shared", "changed_at"),
    *("owner__username", "owner__first_name", "owner__last_name"),
)


def new_code() -> str:
    """Return a short random text for the view's link."""
    return secrets.token_urlsafe(6)


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def open_to(self, operator: Operator) -> Self:
        """Return the views that `operator` may use, by name: their own and shared ones. One query."""
        views = self.filter(Q(owner=operator) | Q(is_shared=True)).select_related("owner")
        return views.only(*SHOWN).order_by(Lower("name"), "pk")


class SavedView(models.Model):
    """A named filter. `query` is the list's query string without a page; everybody may use a shared view."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    name = models.CharField(max_length=100)
    query = models.TextField(default="", blank=True)
    is_shared = models.BooleanField(default=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_views")
    changed_at = models.DateTimeField(default=timezone.now)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                "owner",
                Lower("name"),
                name="saved_view_name_once",
                violation_error_message="You have a view of this name.",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("saved_view", kwargs={"code": self.code})
