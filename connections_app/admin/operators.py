"""Operators: create, give a role, deactivate; and what each role may do."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.forms import CheckboxSelectMultiple
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from connections_app.models import Operator
from connections_app.people.traces import is_on_record

ON_RECORD = (
    "Calls, notes or actions of {} are on record, so this person cannot be deleted."
    " Deactivate instead: untick “Active” below, which signs this person out everywhere."
)

admin.site.site_header = "Sift Dashboard"
admin.site.site_title = "Sift Dashboard"
admin.site.index_title = "Administration"


admin.site.unregister(Group)


class ByTicking(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shows a choice of many as boxes to tick: Django's two lists break the rules of access."""

    def formfield_for_manytomany(self, *args: Any, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(*args, **kwargs, widget=CheckboxSelectMultiple)


@admin.register(Group)
class RoleAdmin(ByTicking, GroupAdmin):
    """A role is a group of Django's; `permissions` is what its people may do."""


@admin.register(Operator)
class OperatorAdmin(ByTicking, UserAdmin):  # type: ignore[type-arg]
    list_display = ("username", "first_name", "last_name", "roles", "client_name", "is_active", "last_login")
    list_filter = ("is_active", "groups")
    search_fields = ("username", "first_name", "last_name", "email", "client_name")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (
            "Person",
            {"fields": ("first_name", "last_name", "email", "client_name", "time_zone", "country", "theme")},
        ),
        ("Role", {"fields": ("is_active", "groups", "is_staff", "is_superuser")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("username", "usable_password", "password1", "password2", "groups", "client_name"),
            },
        ),
    )
    readonly_fields = ("last_login", "date_joined")
    # The one there is would delete many people unseen.
    actions = None

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        operator = self.get_object(request, unquote(object_id))
        if operator and is_on_record(operator):
            messages.error(request, ON_RECORD.format(operator))
            return redirect("admin:connections_app_operator_change", operator.pk)
        return super().delete_view(request, object_id, extra_context)

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description="Role")
    def roles(self, operator: Operator) -> str:
        return ", ".join(group.name for group in operator.groups.all()) or "none"
