"""How the views of contacts answer: on to a page by GET, whatever the request was."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url

from connections_app.models import Operator

SEE_OTHER = 303
CONFLICT = 409
REFUSED = 422


def see(page: object, *args: object, query: str = "") -> HttpResponse:
    address = f"{resolve_url(page, *args)}{query}"  # type: ignore[arg-type]
    return HttpResponse(status=SEE_OTHER, headers={"Location": address})


def person(request: HttpRequest) -> Operator:
    return cast(Operator, request.user)
