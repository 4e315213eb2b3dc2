"""Contacts, read-only: they are changed at `/contacts/`, which records every change."""

from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from connections_app.admin.read_only import ReadOnlyAdmin
from connections_app.calls.contact_lookup import matching
from connections_app.models import Contact, Operator


@admin.register(Contact)
class ContactAdmin(ReadOnlyAdmin):
    keys = ("place_name", "id")
    descends = False
    list_display = ("__str__", "endpoint", "page", "do_not_call", "changed_by", "changed_at")
    list_filter = ("do_not_call",)
    search_fields = ("name", "endpoint")
    search_help_text = "Any part of a name, number or client."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        contacts: QuerySet[Contact] = super().get_queryset(request)
        return contacts.annotate(place_name=Lower("name"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search as the list of contacts does."""
        country = cast(Operator, request.user).dials_from
        return queryset & matching(search_term, country), False

    @admin.display(description="In the contacts")
    def page(self, contact: Contact) -> SafeString:
        return format_html('<a href="{}">Open</a>', contact.get_absolute_url())
