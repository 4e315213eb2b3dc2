"""Connections and walks, readable only; the lists stay fast at millions of rows."""

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

from connections_app.models import Connection, KeptAside, Walk

COUNTED_TO = 1_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts, and so offers pages, up to a thousand rows; what lies deeper is found by searching."""

    @property
    def count(self) -> int:
        counted: QuerySet[Any] = self.object_list[:COUNTED_TO]  # type: ignore[assignment]
        return counted.count()


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_max_show_all = 0
    actions = None

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Connection)
class ConnectionAdmin(ReadOnlyAdmin):
    list_display = ("connection_id", "status", "from_endpoint", "to_endpoint", "direction", "at", "ended_at")
    list_filter = ("status",)
    ordering = ("-at", "-id")
    sortable_by = ()
    search_fields = ("searched",)
    search_help_text = (
        "Any part of a number, name, client or call id. The newest thousand matches are listed."
    )


@admin.register(Walk)
class WalkAdmin(ReadOnlyAdmin):
    list_display = (
        "started_at",
        "full",
        "origin",
        "state",
        "pages",
        "seen",
        "created",
        "updated",
        "rejected",
    )
    list_filter = ("state", "full")


@admin.register(KeptAside)
class KeptAsideAdmin(ReadOnlyAdmin):
    list_display = ("reason", "connection_id", "times", "first_seen_at", "last_seen_at")
