"""Middleware for signing in, idle sessions, each person's time zone, and requests that cannot be served."""

import zoneinfo
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    QueryDict,
)
from django.shortcuts import resolve_url
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from connections_app.people.sessions import SessionStore
from connections_app.web.concurrency import Busy
from connections_app.web.time_zones import Zone

BACKGROUND = "X-Background"
UNAVAILABLE, RETRY_AFTER = 503, "5"


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Redirects people who are not signed in to the sign-in page, and then back.

    Views marked `@login_not_required` are open. After a request for a fragment, htmx redirects the whole
    page, and signing in leads back to the page that the person saw, not to the fragment.
    """

    def process_view(
        self, request: HttpRequest, view_func: Callable[..., Any], *rest: Any
    ) -> HttpResponseBase | None:
        """Let open pages through before anything queries the database for the person."""
        if not getattr(view_func, "login_required", True):
            return None
        return super().process_view(request, view_func, *rest)

    def get_login_url(self, view_func: Callable[..., Any]) -> str:
        return resolve_url(settings.LOGIN_URL)

    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponseBase:
        htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
        if not htmx and request.method not in ("GET", "HEAD"):
            return redirect_to_login(_page_of(request), self.get_login_url(view_func))
        if not htmx:
            return super().handle_no_permission(request, view_func)
        query = QueryDict(mutable=True)
        query["next"] = htmx.current_url_abs_path or "/"
        return HttpResponseClientRedirect(f"{self.get_login_url(view_func)}?{query.urlencode(safe='/')}")


def _page_of(request: HttpRequest) -> str:
    """Return the path of the page whose form was sent; the board's if the browser does not send it."""
    page = urlsplit(request.headers.get("Referer", ""))
    if page.netloc != request.get_host():
        return "/"
    return f"{page.path}?{page.query}" if page.query else page.path


class IdleLimitMiddleware:
    """Extends a session while its person is active.

    Requests that a page makes by itself have a header (`js/frame/background.js`), and do not extend it.
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
            request.session.extend()


class RedirectGetMiddleware:
    """Redirects a GET of a button's address, which accepts only POST, to the page that it is on.

    That is the nearest address above it. People follow such links, or go back to one in the browser.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        if request.method not in ("GET", "HEAD") or not isinstance(answer, HttpResponseNotAllowed):
            return answer
        # Addresses that machines post to are CSRF-exempt, and are no button of any page.
        view = request.resolver_match.func if request.resolver_match else None
        if "POST" not in answer["Allow"] or getattr(view, "csrf_exempt", False):
            return answer
        return HttpResponseRedirect(_above(request.path))


def _above(path: str) -> str:
    """Return the nearest address above `path` that exists."""
    while path != "/":
        path = path.rstrip("/").rpartition("/")[0] + "/"
        with suppress(Resolver404):
            resolve(path)
            return path
    return path


class BusyMiddleware:
    """Answers 503, with the reason and when to retry, if a view raised `Busy`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, problem: Exception) -> HttpResponse | None:
        if not isinstance(problem, Busy):
            return None
        page = render_to_string("busy.html", {"words": str(problem)})
        return HttpResponse(page, status=UNAVAILABLE, headers={"Retry-After": RETRY_AFTER})


class TimeZoneMiddleware:
    """Shows times in the zone of the person who is signed in; pages that are open to all show UTC."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override("UTC"):
            return self.get_response(request)

    def process_view(self, request: HttpRequest, view_func: Callable[..., Any], *_: Any) -> None:
        if getattr(view_func, "login_required", True):
            timezone.activate(zone_of(request))


def zone_of(request: HttpRequest) -> Zone:
    """Return the person's zone; UTC if nobody is signed in, or this machine does not know its name."""
    try:
        return Zone(getattr(request.user, "time_zone", "UTC"))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return Zone("UTC")
