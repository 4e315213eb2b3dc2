"""Requests of signed-in people, as `SignInRequiredMiddleware` enforces: their type, and their permission."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django_htmx.middleware import HtmxDetails

from connections_app.models import Operator

View = Callable[..., HttpResponse]


class SignedInRequest(HttpRequest):
    """Django's request with its operator, for annotations only. `htmx` is true for a fragment."""

    user: Operator
    htmx: HtmxDetails


def only_if(may: Callable[[Operator], bool]) -> Callable[[View], View]:
    """Return the decorator of views that are open to operators of whom `may`, a permission, is true."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: SignedInRequest, *given: Any, **named: Any) -> HttpResponse:
            if not may(request.user):
                raise PermissionDenied
            return view(request, *given, **named)

        return checked

    return decorate
