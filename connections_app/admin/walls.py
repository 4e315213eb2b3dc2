"""Links to the wallboard: create, show and revoke them."""

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.html import format_html

from connections_app.audit.log import address_of
from connections_app.live import walls
from connections_app.models import Operator, WallLink
from connections_app.web.callback_urls import wall_address


@admin.register(WallLink)
class WallLinkAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "made_by", "made_at", "state")
    list_select_related = ("made_by",)
    sortable_by = ()
    actions = ("revoke",)

    @admin.display(description="State")
    def state(self, link: WallLink) -> str:
        return f"revoked {link.revoked_at:%Y-%m-%d %H:%M}" if link.revoked_at else "in use"

    @admin.display(description="Link")
    def link(self, link: WallLink) -> str:
        if link.revoked_at:
            return "It was revoked, and leads nowhere."
        return format_html('<a href="{0}">{0}</a>', wall_address(link.token))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("name", "link", "made_by", "made_at", "state") if obj else ("name",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("link", "made_by", "made_at", "state") if obj else ()

    def save_model(self, request: HttpRequest, obj: WallLink, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=["name"])
        else:
            walls.share(obj, cast(Operator, request.user), address_of(request))

    def response_add(self, request: HttpRequest, obj: WallLink, post_url_continue: str | None = None) -> Any:
        """Redirect to the page that shows the link."""
        messages.info(request, "Whoever has the link below sees the wallboard without signing in.")
        return redirect("admin:connections_app_walllink_change", obj.pk)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="Revoke the selected links", permissions=["change"])
    def revoke(self, request: HttpRequest, links: QuerySet[WallLink]) -> None:
        """Revoke the selected links."""
        operator, address = cast(Operator, request.user), address_of(request)
        revoked = sum(walls.revoke(link, operator, address) for link in links)
        messages.success(request, f"{revoked} revoked. Wallboards that use them end within seconds.")
