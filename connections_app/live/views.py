"""`/`: the calls in progress; and the wallboard, also under a link of its own."""

from typing import Any, cast

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from connections_app.freshness import freshness
from connections_app.live import board, walls
from connections_app.models import Operator


@never_cache
@require_safe
def show_board(request: HttpRequest) -> HttpResponse:
    """The board as the query string asks; with `wall=1` as the wallboard."""
    now = timezone.now()
    asked = board.Filter.of(request.GET)
    shown = board.board(cast(Operator, request.user), asked, now)
    if request.GET.get("wall") == "1":
        return render(request, "live/wall.html", _context(shown, now) | {"events_url": "/events/?wall=1"})
    return render(request, "live/board.html", _context(shown, now) | {"asked": asked})


@login_not_required
@never_cache
@require_safe
def show_wall(request: HttpRequest, token: str) -> HttpResponse:
    """The wallboard for whoever has its link; 404 once that is revoked."""
    if walls.link_of(token) is None:
        raise Http404
    now = timezone.now()
    shown = board.board(None, board.Filter(), now)
    context = _context(shown, now) | {"events_url": f"/events/?wall={token}", "freshness": freshness()}
    return render(request, "live/wall.html", context)


def _context(shown: board.Board, now: Any) -> dict[str, Any]:
    return {
        "counters": shown.counters,
        "rows": shown.rows,
        "shown": len(shown.rows) - shown.hidden,
        "more": shown.more,
        "hidden": shown.hidden,
        "now": now,
    }
