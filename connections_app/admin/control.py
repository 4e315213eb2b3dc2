"""The audit log, requests to Sift and callbacks, read-only."""

import json
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from connections_app.admin.read_only import ReadOnlyAdmin, WhenFilter
from connections_app.models import Action, Callback, CallRequest, Connection, Operator, Push, UserName
from connections_app.models.requests import CLIENT
from connections_app.web.callback_urls import without_tokens

PEOPLE_SHOWN = 200
REFUSED = 400


class PersonFilter(admin.SimpleListFilter):
    """Filter actions by operator."""

    title = "person"
    parameter_name = "person"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        people = Operator.objects.order_by("username").values_list("pk", "username")[:PEOPLE_SHOWN]
        return [(str(pk), name) for pk, name in people]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Action]) -> QuerySet[Action]:
        return queryset.filter(actor_id=self.value()) if self.value() else queryset


class RefusedFilter(admin.SimpleListFilter):
    """Filter refused callbacks, which have an index of their own."""

    title = "answer"
    parameter_name = "answer"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("refused", "Refused")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Callback]) -> QuerySet[Callback]:
        return queryset.filter(status__gte=REFUSED) if self.value() else queryset


@admin.register(Action)
class ActionAdmin(ReadOnlyAdmin):
    keys = ("at", "id")
    list_display = ("at", "who", "verb", "phase", "connection_id", "subject", "outcome", "address")
    list_filter = (PersonFilter, "verb", ("at", WhenFilter))
    search_fields = ("connection_id__exact", "subject__exact")
    search_help_text = "A person's whole user name, past or present, a whole call id, or a whole request id."

    def having(self, text: str) -> Q:
        person = UserName.objects.filter(name=text).values_list("operator_id", flat=True).first()
        found = super().having(text)
        return found | Q(actor_id=person) if person else found

    @admin.display(description="Person")
    def who(self, action: Action) -> str:
        return action.actor or "the dashboard"


@admin.register(CallRequest)
class CallRequestAdmin(ReadOnlyAdmin):
    list_display = ("asked_at", "operator_name", "endpoint", "outcome", "reason", "settled_by", "connection")
    list_filter = ("outcome",)
    list_select_related = ("connection",)
    exclude = ("token", "script", "digest")
    search_fields = ("phone_number__exact", "client_name__exact")
    search_help_text = "A whole number in E.164, client, call id or request id."

    def having(self, text: str) -> Q:
        # The call is looked up first: an OR with a joined table would read both tables completely.
        call = Connection.objects.filter(connection_id=text).values_list("pk", flat=True).first()
        requests = super().having(text.removeprefix(CLIENT))
        if call:
            requests |= Q(connection=call)
        with suppress(ValueError):
            requests |= Q(request_id=UUID(text))
        return requests


@admin.register(Push)
class PushAdmin(ReadOnlyAdmin):
    list_display = ("asked_at", "operator_name", "kind", "connection", "outcome", "reason")
    list_filter = ("outcome",)
    list_select_related = ("connection",)
    exclude = ("script", "digest")
    search_fields = ("connection__connection_id__exact",)
    search_help_text = "A whole call id."


@admin.register(Callback)
class CallbackAdmin(ReadOnlyAdmin):
    list_display = ("first_at", "kind", "connection", "status", "times", "milliseconds", "last_at")
    list_filter = (RefusedFilter,)
    list_select_related = ("connection",)
    exclude = ("step", "call_request", "digest", "body", "answer")
    readonly_fields = ("told", "answered")
    search_fields = ("connection__connection_id__exact",)
    search_help_text = "A whole call id."

    @admin.display(description="Body")
    def told(self, callback: Callback) -> str:
        return json.dumps(without_tokens(callback.body), ensure_ascii=False)

    @admin.display(description="Last answer")
    def answered(self, callback: Callback) -> str:
        return json.dumps(without_tokens(callback.answer), ensure_ascii=False)
