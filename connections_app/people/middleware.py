"""Everything needs a signed-in person, who stays so while asking, and shows times in that person's zone."""

import zoneinfo
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import resolve_url
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from connections_app.people.sessions import SessionStore

BACKGROUND = "X-Background"


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Sends whoever is not signed in to the sign-in page and then back.

    Views marked `@login_not_required` are open. A fragment's request is answered so that htmx takes the
    whole page there, and back to the page the person saw rather than to the fragment.
    """

    def process_view(
        self, request: HttpRequest, view_func: Callable[..., Any], *rest: Any
    ) -> HttpResponseBase | None:
        """Open pages are let through before anything asks the database who this is."""
        if not getattr(view_func, "login_required", True):
            return None
        return super().process_view(request, view_func, *rest)

    def get_login_url(self, view_func: Callable[..., Any]) -> str:
        return resolve_url(settings.LOGIN_URL)

    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponseBase:
        htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
        if not htmx:
            return super().handle_no_permission(request, view_func)
        query = QueryDict(mutable=True)
        query["next"] = htmx.current_url_abs_path or "/"
        return HttpResponseClientRedirect(f"{self.get_login_url(view_func)}?{query.urlencode(safe='/')}")


class IdleLimitMiddleware:
    """Puts the end of a session off while its person asks for something.

    What a page asks for by itself says so in a header (`static/js/background.js`), and puts nothing off.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view_func: Callable[..., Any], *_: Any) -> None:
        is_open = not getattr(view_func, "login_required", True)
        if is_open or request.headers.get(BACKGROUND) == "yes":
            return
        if request.user.is_authenticated and isinstance(request.session, SessionStore):
            request.session.put_off_end()


class TimeZoneMiddleware:
    """Shows times in the zone of who is signed in; pages that are open to all need nobody, and show UTC."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override("UTC"):
            return self.get_response(request)

    def process_view(self, request: HttpRequest, view_func: Callable[..., Any], *_: Any) -> None:
        if getattr(view_func, "login_required", True):
            timezone.activate(zone_of(request))


def zone_of(request: HttpRequest) -> zoneinfo.ZoneInfo:
    """The person's zone; UTC for nobody, and for a name this machine does not know."""
    try:
        return zoneinfo.ZoneInfo(getattr(request.user, "time_zone", "UTC"))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")
