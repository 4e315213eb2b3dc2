"""Operators (create, give a role, deactivate) and the permissions of each role."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.forms import CheckboxSelectMultiple
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from connections_app.audit.references import is_on_record
from connections_app.models import Operator

ON_RECORD = (
    "Calls, notes or actions of {} are on record, so this person cannot be deleted."
    " Deactivate instead: untick “Active” below, which signs this person out everywhere."
)

admin.site.site_header = "Sift Dashboard"
admin.site.site_title = "Sift Dashboard"
admin.site.index_title = "Administration"


admin.site.unregister(Group)


class CheckboxList(admin.ModelAdmin):  # type: ignore[type-arg]
    """Show a many-to-many field as checkboxes: Django's two lists are not accessible."""

    def formfield_for_manytomany(self, *args: Any, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(*args, **kwargs, widget=CheckboxSelectMultiple)


@admin.register(Group)
class RoleAdmin(CheckboxList, GroupAdmin):
    """A role, which is a group of Django's with permissions."""


class AddOperatorForm(AdminUserCreationForm):  # type: ignore[type-arg]
    """Set the password that was hashed before the transaction, which holds a database connection."""

    encoded = ""

    def set_password_and_save(self, user: Any, commit: bool = True, **names: Any) -> Any:
        if not self.cleaned_data["set_usable_password"]:
            return super().set_password_and_save(user, commit=commit, **names)
        user.password = self.encoded
        if commit:
            user.save()
        return user


@admin.register(Operator)
class OperatorAdmin(CheckboxList, UserAdmin):  # type: ignore[type-arg]
    list_display = ("username", "first_name", "last_name", "roles", "client_name", "is_active", "last_login")
    list_filter = ("is_active", "groups")
    search_fields = ("username", "first_name", "last_name", "email", "client_name")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (
            "Person",
            {"fields": ("first_name", "last_name", "email", "client_name", "time_zone", "country", "theme")},
        ),
        ("Role", {"fields": ("is_active", "groups", "is_superuser")}),
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
    add_form = AddOperatorForm
    readonly_fields = ("last_login", "date_joined")
    # Django's only action would delete many people without a check.
    actions = None

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        password = request.POST.get("password1", "")
        request.encoded_password = make_password(password) if password else ""  # type: ignore[attr-defined]
        return super().add_view(request, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **given: Any) -> Any:
        """Return a form class that holds the hashed password of this request."""
        form: Any = super().get_form(request, obj, change=change, **given)
        form.encoded = getattr(request, "encoded_password", "")
        return form

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        person: Operator = form.instance
        if not person.is_superuser and not person.groups.exists():
            messages.warning(
                request,
                f"The operator “{person}” has no role yet, and can do nothing. Tick one under “Role”.",
            )

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
