"""Connections and walks, read-only; the lists stay fast with millions of rows."""

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from connections_app.admin.read_only import ReadOnlyAdmin, WhenFilter
from connections_app.call_list.filters import CallsForm, filtered
from connections_app.calls.contact_lookup import name_ends
from connections_app.calls.endpoints import Endpoint, callee_of, caller_of
from connections_app.models import Connection, Operator, UnusableRow, Walk


@admin.register(Connection)
class ConnectionAdmin(ReadOnlyAdmin):
    keys = ("at", "id")
    list_display = ("connection_id", "status", "caller", "callee", "direction", "at", "ended_at")
    list_filter = ("status", ("at", WhenFilter))
    search_fields = ("connection_id",)
    search_help_text = "Any part of a number, name or client; a call id as a whole or its beginning."

    @admin.display(description="From")
    def caller(self, call: Connection) -> str:
        return _written(call.from_endpoint, caller_of(call))

    @admin.display(description="To")
    def callee(self, call: Connection) -> str:
        return _written(call.to_endpoint, callee_of(call))

    def complete(self, rows: list[Connection]) -> None:
        name_ends(rows)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search as the list of calls does."""
        form = CallsForm({"q": search_term}, country=cast(Operator, request.user).dials_from)
        if not form.is_valid():
            messages.error(request, " ".join(map(str, form.errors["q"])))
            return queryset.none(), False
        return queryset & filtered(form), False


def _written(endpoint: str | None, end: Endpoint) -> str:
    """Return the name of an end, if any, and its endpoint as Sift writes it."""
    return f"{end.name}, {endpoint}" if end.name else endpoint or ""


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
        "unusable",
    )
    list_filter = ("state", "full")


@admin.register(UnusableRow)
class UnusableRowAdmin(ReadOnlyAdmin):
    list_display = ("reason", "connection_id", "times", "first_seen_at", "last_seen_at")
    search_fields = ("connection_id__exact",)
    search_help_text = "A whole call id."
