"""`/`: the calls in progress; and the wallboard, also under a link of its own."""

import json
from datetime import timedelta
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from connections_app.calls.freshness import freshness
from connections_app.live import board, walls
from connections_app.live.board_filter import Filter
from connections_app.web.request import SignedInRequest

COOKIE_AGE = timedelta(days=400)  # browsers' limit; opening the link again renews the cookie


@never_cache
@require_safe
def show_board(request: SignedInRequest) -> HttpResponse:
    """Show the board as the query string filters it; with `wall=1`, as the wallboard.

    With `ways=1`, return how rows match `q`, as JSON for the page: only the server parses numbers.
    """
    now = timezone.now()
    operator = request.user
    requested = Filter.of(request.GET, operator.dials_from)
    if request.GET.get("ways") == "1":
        return JsonResponse({"ways": requested.ways})
    shown = board.board(operator, requested, now)
    if request.GET.get("wall") == "1":
        return render(request, "live/wall.html", _context(shown, now) | {"events_url": "/events/?wall=1"})
    context = _context(shown, now) | {"asked": requested, "ways": json.dumps(requested.ways)}
    return render(request, "live/board.html", context)


@login_not_required
@never_cache
@require_safe
def open_wall(request: HttpRequest, token: str) -> HttpResponse:
    """Move the token of a wallboard link from the address into a cookie; 404 once the link is revoked."""
    if walls.link_of(token) is None:
        raise Http404
    answer = redirect("wall")
    answer.set_cookie(
        walls.COOKIE, token, max_age=COOKIE_AGE, secure=request.is_secure(), httponly=True, samesite="Lax"
    )
    return answer


@login_not_required
@never_cache
@require_safe
def show_wall(request: HttpRequest) -> HttpResponse:
    """Show the wallboard in a browser that has opened its link; 404 once the link is revoked."""
    if walls.link_of(request.COOKIES.get(walls.COOKIE, "")) is None:
        raise Http404
    now = timezone.now()
    shown = board.board(None, Filter(), now)
    context = _context(shown, now) | {"events_url": "/events/?wall=link", "freshness": freshness()}
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
