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

# Browsers keep a cookie no longer; opening the link again renews it.
COOKIE_LASTS = timedelta(days=400)


@never_cache
@require_safe
def show_board(request: SignedInRequest) -> HttpResponse:
    """The board as the query string asks; with `wall=1` as the wallboard.

    With `ways=1`, for the page, what its filter looks for with `q`: numbers are read here alone.
    """
    now = timezone.now()
    operator = request.user
    asked = Filter.of(request.GET, operator.dials_from)
    if request.GET.get("ways") == "1":
        return JsonResponse({"ways": asked.ways})
    shown = board.board(operator, asked, now)
    if request.GET.get("wall") == "1":
        return render(request, "live/wall.html", _context(shown, now) | {"events_url": "/events/?wall=1"})
    return render(
        request, "live/board.html", _context(shown, now) | {"asked": asked, "ways": json.dumps(asked.ways)}
    )


@login_not_required
@never_cache
@require_safe
def open_wall(request: HttpRequest, token: str) -> HttpResponse:
    """A link to the wallboard: its token moves from the address into a cookie; 404 once it is revoked."""
    if walls.link_of(token) is None:
        raise Http404
    answer = redirect("wall")
    answer.set_cookie(
        walls.COOKIE, token, max_age=COOKIE_LASTS, secure=request.is_secure(), httponly=True, samesite="Lax"
    )
    return answer


@login_not_required
@never_cache
@require_safe
def show_wall(request: HttpRequest) -> HttpResponse:
    """The wallboard for a browser in which its link was opened; 404 once that is revoked."""
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
