"""`/calls/<connection_id>/`: the page of one call."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import uuid4

from django.db.models import Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from connections_app.access.permissions import may_see_actions, may_steer_any, may_write_notes
from connections_app.call_page.forms import NoteForm
from connections_app.call_page.neighbours import neighbours
from connections_app.call_page.timeline import timeline
from connections_app.calls.call_state import shown_one
from connections_app.calls.contact_lookup import name_ends
from connections_app.models import Action, CallRequest, Connection
from connections_app.tags import tagging
from connections_app.web.callback_urls import without_tokens
from connections_app.web.request import SignedInRequest

ACTIONS_SHOWN = 100


@require_safe
def call(request: SignedInRequest, connection_id: str) -> HttpResponse:
    """Show the page of a call; for htmx, only the parts that change without input from the visitor."""
    one = get_object_or_404(Connection, connection_id=connection_id)
    return call_page(request, one, NoteForm(None))


def call_or_page(
    word: str, page: Callable[[SignedInRequest], HttpResponseBase]
) -> Callable[..., HttpResponseBase]:
    """Return a view that shows the call whose id is `word` if there is one, otherwise `page`.

    A request with a query string, or with POST, always gets the page.
    """

    @wraps(page)
    def page_or_call(request: SignedInRequest) -> HttpResponseBase:
        is_plain = request.method in ("GET", "HEAD") and not request.GET
        if is_plain and Connection.objects.filter(connection_id=word).exists():
            return call(request, word)
        return page(request)

    return page_or_call


def call_page(request: SignedInRequest, one: Connection, note: NoteForm, status: int = 200) -> HttpResponse:
    """Render the page of one call, with the form `note`."""
    call_request = request_of(one)
    name_ends([one])
    operator, now = request.user, timezone.now()
    context: dict[str, Any] = (
        shown_one(operator, one.pk, now).context()
        | timeline_context(request, one, call_request)
        | tagging.tags_context(one, operator)
        | {
            "call": one,
            "beside": neighbours(one),
            "note_form": note,
            "note_id": note_id(note),
            "request_id": uuid4(),
            "actions": actions_of(one, call_request) if may_see_actions(operator) else [],
            "raw": pretty(without_tokens(one.raw)),
            "client_data": None if one.client_data is None else pretty(one.client_data),
        }
    )
    template = "call_page/_call.html" if request.htmx else "call_page/call.html"
    return render(request, template, context, status=status)


def timeline_context(
    request: SignedInRequest, one: Connection, call_request: CallRequest | None
) -> dict[str, Any]:
    """Return the template context of a call's timeline, which is whole if the page's address has `all`."""
    shows_all = "all" in request.GET or "all=1" in (request.htmx.current_url or "")
    operator = request.user
    return {
        "call": one,
        "timeline": timeline(one, call_request, whole=shows_all),
        "shows_all": shows_all,
        "may_write": may_write_notes(operator),
        "may_change_all": may_steer_any(operator),
        "now": timezone.now(),
    }


def note_id(note: NoteForm) -> object:
    """Return the id of a refused form, or a new id."""
    return note.cleaned_data.get("request_id", uuid4()) if note.is_bound and not note.is_valid() else uuid4()


def actions_of(one: Connection, call_request: CallRequest | None) -> list[Action]:
    """Return the latest actions of people on a call, including those on its request."""
    return list(
        Action.objects.filter(
            Q(connection_id=one.connection_id)
            | Q(subject=str(call_request.request_id if call_request else one.connection_id))
        ).order_by("-id")[:ACTIONS_SHOWN]
    )


def pretty(value: Any) -> str:
    """Return `value` as indented JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def request_of(one: Connection) -> CallRequest | None:
    """Return the request that placed the call, with its script, or None."""
    return CallRequest.objects.filter(connection=one).select_related("script").first()
