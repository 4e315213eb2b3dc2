"""`/calls/` and `/calls/<connection_id>/`."""

import json
from typing import Any, cast
from uuid import uuid4

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from connections_app.addresses import without_tokens
from connections_app.history.filters import CallsForm, chips, filtered, quick_ranges
from connections_app.history.paging import BadPlace, CallsPage, page
from connections_app.history.suggesting import suggest
from connections_app.history.timeline import timeline
from connections_app.models import Action, CallRequest, Connection, Operator
from connections_app.models.connection import ConnectionQuerySet
from connections_app.standing import shown_one

COUNTED_TO = 10_000
SAME_PARTY_SHOWN = 5
ACTIONS_SHOWN = 100


@require_safe
def calls(request: HttpRequest) -> HttpResponse:
    """The list, as its query string asks; no calls while a filter cannot be understood."""
    form = CallsForm(request.GET)
    shown, count_words = CallsPage([], None, None), ""
    if form.is_valid():
        matching = filtered(form)
        try:
            shown = page(matching, request.GET)
            count_words = counted(matching)
        except BadPlace:
            form.add_error(
                None, "This link does not lead to a place in the list. Start from the newest calls."
            )
    context = {
        "form": form,
        "chips": chips(form, request.GET),
        "calls": shown.calls,
        "older_url": shown.older_url,
        "newer_url": shown.newer_url,
        "count_words": count_words,
        "quick": quick_ranges(request.GET, timezone.now()),
        "clear_url": "?",
        "zone": timezone.get_current_timezone_name(),
        "nothing_yet": not shown.calls
        and form.is_valid()
        and form.is_empty
        and not request.GET.get("before"),
    }
    return render(request, "history/calls.html", context)


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


@never_cache
@require_safe
def search_calls(request: HttpRequest) -> HttpResponse:
    """What the search box offers for `q`, for htmx; without `q`, the call whose id is “search”."""
    if "q" not in request.GET:
        return call(request, "search")
    suggested = suggest(request.GET["q"], cast(Operator, request.user))
    return render(request, "history/_suggestions.html", {"suggested": suggested, "now": timezone.now()})


def counted(matching: ConnectionQuerySet) -> str:
    """How many calls match, counted up to ten thousand."""
    count = matching.order_by()[: COUNTED_TO + 1].count()
    if count > COUNTED_TO:
        return f"more than {COUNTED_TO:,} calls"
    return "1 call" if count == 1 else f"{count:,} calls"


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
