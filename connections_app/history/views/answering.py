"""How the views of history answer: fragments for htmx, and redirects that are followed by GET."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url

SEE_OTHER = 303
REFUSED = 422


def is_htmx(request: HttpRequest) -> bool:
    return bool(request.htmx)  # type: ignore[attr-defined]


def see(page: object, *args: object, anchor: str = "") -> HttpResponse:
    """On to a page, whatever the request was."""
    address = f"{resolve_url(page, *args)}{anchor}"  # type: ignore[arg-type]
    return HttpResponse(status=SEE_OTHER, headers={"Location": address})
