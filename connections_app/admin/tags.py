"""Tags and bulk taggings, read-only: supervisors manage them on the history pages."""

from django.contrib import admin

from connections_app.admin.read_only import ReadOnlyAdmin
from connections_app.models import BulkTagging, Tag


@admin.register(Tag)
class TagAdmin(ReadOnlyAdmin):
    list_display = ("name", "colour", "made_by", "made_at")
    list_filter = ("colour",)
    search_fields = ("name",)


@admin.register(BulkTagging)
class BulkTaggingAdmin(ReadOnlyAdmin):
    list_display = ("asked_at", "operator_name", "tag", "adds", "counted", "changed", "undone", "state")
    list_filter = ("state", "adds", ("asked_at", admin.DateFieldListFilter))
    list_select_related = ("tag",)
    exclude = ("keys", "cursor", "last_key", "operator")
