"""`/healthz` and `/readyz`, for monitoring; and the page that people see after an error."""

import sys

from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.template.loader import render_to_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from connections_app.health.checks import readiness


@never_cache
@require_safe
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """Return 200: the process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
@login_not_required
def readyz(request: HttpRequest) -> HttpResponse:
    """Return 200 if calls can be shown and callbacks accepted, else 503 and the reason."""
    found = readiness()
    return HttpResponse(f"{found.words}\n", status=200 if found.ready else 503, content_type="text/plain")


def server_error(request: HttpRequest) -> HttpResponse:
    """Return the page for an error of ours: 503 if the database does not answer, else 500."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": "5"})
    return HttpResponseServerError(render_to_string("500.html"))
