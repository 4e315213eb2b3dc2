"""`/healthz` and `/readyz`, for machines that watch."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from connections_app.health.checks import readiness


@never_cache
@require_safe
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
@login_not_required
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when calls can be shown and callbacks taken, else 503 and the reason."""
    found = readiness()
    return HttpResponse(f"{found.words}\n", status=200 if found.ready else 503, content_type="text/plain")
