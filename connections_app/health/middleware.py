"""Middleware that decides by the path alone, before the Host header is checked or the database queried."""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse

from connections_app.health.views import healthz, readyz

PAGES = {"/healthz": healthz, "/readyz": readyz}


class AnyHostMiddleware:
    """Answers the health pages for any Host header: a probe may know only an IP address.

    A path with a NUL gets 404: PostgreSQL could not look it up.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info:
            raise Http404
        page = PAGES.get(request.path_info)
        return page(request) if page else self.get_response(request)
