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
from connections_app.history.forms import NoteForm
from connections_app.history.neighbours import neighbours
from connections_app.history.noting import may_write
from connections_app.history.tagging import may_tag
from connections_app.history.timeline import timeline
from connections_app.history.views.answering import is_htmx
from connections_app.models import Action, CallRequest, Connection, Operator, Tag
from connections_app.naming import name_ends
from connections_app.standing import shown_one

ACTIONS_SHOWN = 100


@require_safe
def call(request: HttpRequest, connection_id: str) -> HttpResponse:
    """Everything about one call; for htmx what changes by itself, which is not what somebody writes."""
    one = get_object_or_404(Connection, connection_id=connection_id)
    return call_page(request, one, NoteForm(None))


def call_page(request: HttpRequest, one: Connection, note: NoteForm, status: int = 200) -> HttpResponse:
    """The page of one call, with the form for a note as it stands."""
    asked = request_of(one)
    name_ends([one])
    operator, now = cast(Operator, request.user), timezone.now()
    context: dict[str, Any] = (
        shown_one(operator, one.pk, now).context()
        | timeline_context(request, one, asked)
        | tags_context(request, one)
        | {
            "call": one,
            "beside": neighbours(one),
            "note_form": note,
            "note_id": note_id(note),
            "request_id": uuid4(),
            "actions": actions_of(one, asked) if operator.has_perm("connections_app.view_action") else [],
            "raw": pretty(without_tokens(one.raw)),
            "client_data": None if one.client_data is None else pretty(one.client_data),
        }
    )
    template = "history/_call.html" if is_htmx(request) else "history/call.html"
    return render(request, template, context, status=status)


def timeline_context(request: HttpRequest, one: Connection, asked: CallRequest | None) -> dict[str, Any]:
    """What the timeline of a call that `asked` became is shown with: all of it where the page's address says
    so."""
    shows_all = "all" in request.GET or "all=1" in (request.htmx.current_url or "")  # type: ignore[attr-defined]
    operator = cast(Operator, request.user)
    return {
        "call": one,
        "timeline": timeline(one, asked, whole=shows_all),
        "shows_all": shows_all,
        "may_write": may_write(operator),
        "may_change_all": operator.has_perm("connections_app.steer_any_call"),
        "now": timezone.now(),
    }


def tags_context(request: HttpRequest, one: Connection) -> dict[str, Any]:
    """What the tags of a call are shown with: those it has, and those it might get. One query."""
    tags = list(Tag.objects.filter(call_tags__connection=one))
    may = may_tag(cast(Operator, request.user))
    others = list(Tag.objects.exclude(pk__in=[tag.pk for tag in tags])) if may else []
    return {"call": one, "tags": tags, "other_tags": others, "may_tag": may}


def note_id(note: NoteForm) -> object:
    """The form's own id while nothing was written under it; a new form has a new one."""
    return note.cleaned_data.get("request_id", uuid4()) if note.is_bound and not note.is_valid() else uuid4()


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


def request_of(one: Connection) -> CallRequest | None:
    """The request that the call was placed by, with its script."""
    return CallRequest.objects.filter(connection=one).select_related("script").first()
