"""`/calls/<connection_id>/`: everything about one call."""

import json
from typing import Any, cast
from uuid import uuid4

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from connections_app.addresses import without_tokens
from connections_app.history.timeline import timeline
from connections_app.models import Action, CallRequest, Connection, Operator
from connections_app.standing import shown_one

SAME_PARTY_SHOWN = 5
ACTIONS_SHOWN = 100


@require_safe
def call(request: HttpRequest, connection_id: str) -> HttpResponse:
    """Everything about one call."""
    one = get_object_or_404(Connection, connection_id=connection_id)
    asked = CallRequest.objects.filter(connection=one).select_related("script").first()
    operator, now = cast(Operator, request.user), timezone.now()
    context: dict[str, Any] = shown_one(operator, one.pk, now).context() | {
        "call": one,
        "timeline": timeline(one, asked),
        "request_id": uuid4(),
        "actions": actions_of(one, asked) if operator.has_perm("connections_app.view_action") else [],
        "raw": pretty(without_tokens(one.raw)),
        "client_data": None if one.client_data is None else pretty(one.client_data),
        "same_party": same_party(one),
        "now": now,
    }
    template = "history/_call.html" if request.htmx else "history/call.html"  # type: ignore[attr-defined]
    return render(request, template, context)


def same_party(one: Connection) -> list[Connection]:
    """The latest other calls from or to one of this call's numbers or clients."""
    either = Q()
    for endpoint in filter(None, {one.from_endpoint, one.to_endpoint}):
        either |= Q(searched__contains=f"\n{endpoint}", from_endpoint=endpoint)
        either |= Q(searched__contains=f"\n{endpoint}", to_endpoint=endpoint)
    if not either:
        return []
    return list(
        Connection.objects.filter(either).exclude(pk=one.pk).for_rows().newest_first()[:SAME_PARTY_SHOWN]
    )


def actions_of(one: Connection, asked: CallRequest | None) -> list[Action]:
    """The record of what people did to a call, also while it was a request only."""
    return list(
        Action.objects.filter(
            Q(connection_id=one.connection_id)
            | Q(subject=str(asked.request_id if asked else one.connection_id))
        ).order_by("-id")[:ACTIONS_SHOWN]
    )


def pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
