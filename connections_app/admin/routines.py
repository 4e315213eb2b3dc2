"""Routines and their versions, read-only: they are edited and published at `/routines/`."""

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString

from connections_app.admin.read_only import ReadOnlyAdmin
from connections_app.models import Routine, RoutineVersion
from connections_app.sift.routine import written


@admin.register(Routine)
class RoutineAdmin(ReadOnlyAdmin):
    list_display = ("name", "library", "used_by", "published", "changed_by", "changed_at", "archived_at")
    list_filter = ("used_by", ("archived_at", admin.EmptyFieldListFilter))
    list_select_related = ("published__routine",)
    search_fields = ("name", "description")

    @admin.display(description="In the library")
    def library(self, routine: Routine) -> SafeString:
        return format_html('<a href="{}">Open</a>', routine.get_absolute_url())


@admin.register(RoutineVersion)
class RoutineVersionAdmin(ReadOnlyAdmin):
    list_display = ("routine", "number", "note", "author", "published_at")
    list_select_related = ("routine",)
    search_fields = ("routine__name", "author__exact")
    fields = ("routine", "number", "note", "author", "published_at", "as_json")
    readonly_fields = ("as_json",)

    @admin.display(description="Commands")
    def as_json(self, version: RoutineVersion) -> SafeString:
        return format_html("<pre>{}</pre>", written(version.commands))
