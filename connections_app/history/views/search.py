"""`/calls/search/`: what the search box offers."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from connections_app.history.suggesting import suggest
from connections_app.history.views.call import call
from connections_app.models import Operator


@never_cache
@require_safe
def search_calls(request: HttpRequest) -> HttpResponse:
    """What the search box offers for `q`, for htmx; without `q`, the call whose id is “search”."""
    if "q" not in request.GET:
        return call(request, "search")
    suggested = suggest(request.GET["q"], cast(Operator, request.user))
    return render(request, "history/_suggestions.html", {"suggested": suggested, "now": timezone.now()})
