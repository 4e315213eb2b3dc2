"""Template tag for the rows of the list of calls.

A page has fifty and must render fast: the row's template is rendered once, with fields such as `{status}`
that are filled in for each call.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString

from connections_app.call_list.rows import Row
from connections_app.calls.endpoints import callee_of, caller_of, party_of
from connections_app.templatetags.display import direction, duration, status, when, who
from connections_app.templatetags.tags import tag_line

register = template.Library()
FIRST_SEEN = '<span class="endpoint-place">first seen</span>'


@register.simple_tag(takes_context=True)
def call_rows(context: Any, rows: Sequence[Row]) -> SafeString:
    """Return the rows, with the actions that the person may take."""
    may = context["perms"]["connections_app"]
    drawn, now, may_place = _row(bool(may["tag_calls"])), timezone.now(), bool(may["place_call"])
    return SafeString("".join(drawn.format_map(_cells(row, now, may_place)) for row in rows))


def _cells(row: Row, now: datetime, may_place: bool) -> dict[str, Any]:
    """Return the values of a row's fields, by name."""
    call = row.call
    address = call.get_absolute_url()
    return {
        "pk": call.pk,
        "id": escape(call.connection_id),
        "status": status(call),
        "party": who(party_of(call), address, place=True, copy=True, dial=may_place),
        "direction": direction(call),
        "since": when(call.at, now) + ("" if call.started_at else FIRST_SEEN),
        "talked": duration(call, now),
        "operator": _person(row.operator),
        "tags": tag_line(row.tags),
        "caller": who(caller_of(call)),
        "callee": who(callee_of(call)),
    }


@lru_cache(maxsize=1024)
def _person(name: str) -> str:
    return format_html('<span title="{0}">{0}</span>', name) if name else ""


@cache
def _row(may_tag: bool) -> str:
    return render_to_string("call_list/_row.html", {"may_tag": may_tag})
