"""`/`: the calls in progress."""

from typing import cast
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from connections_app.live import board
from connections_app.models import Operator


@never_cache
@require_safe
def show_board(request: HttpRequest) -> HttpResponse:
    """The whole page, or for htmx the part of it that changes."""
    now = timezone.now()
    shown = board.board(cast(Operator, request.user), now)
    context = {
        "counters": shown.counters,
        "rows": shown.rows,
        "request_id": uuid4(),
        "more": shown.more,
        "now": now,
    }
    template = "live/_board.html" if request.htmx else "live/board.html"  # type: ignore[attr-defined]
    return render(request, template, context)
