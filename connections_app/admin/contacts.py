"""Contacts, readable only: they are written at `/contacts/`, where every change is on record."""

from django.contrib import admin
from django.db.models.functions import Lower
from django.utils.html import format_html
from django.utils.safestring import SafeString

from connections_app.admin.connections import ReadOnlyAdmin
from connections_app.models import Contact


@admin.register(Contact)
class ContactAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "endpoint", "page", "do_not_call", "changed_by", "changed_at")
    list_filter = ("do_not_call",)
    ordering = (Lower("name"), "id")
    sortable_by = ()
    search_fields = ("name__ilike", "endpoint__ilike")
    search_help_text = "Any part of a name, a number in E.164 or a client."

    @admin.display(description="In the contacts")
    def page(self, contact: Contact) -> SafeString:
        return format_html('<a href="{}">Open</a>', contact.get_absolute_url())
