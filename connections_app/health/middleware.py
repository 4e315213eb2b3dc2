"""What is decided by the address alone, before the Host header or the database is looked at."""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse

from connections_app.health.views import healthz, readyz

PAGES = {"/healthz": healthz, "/readyz": readyz}


class AnyHostMiddleware:
    """Answer the health pages whatever the Host header is: a prober knows an address only.

    No page has a NUL in its path, which PostgreSQL could not look up.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info:
            raise Http404
        page = PAGES.get(request.path_info)
        return page(request) if page else self.get_response(request)
