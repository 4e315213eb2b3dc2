"""Baselines for the list of calls: the admin's changelist, Django's Paginator and a bare keyset view.

Each reads the product's table with all its indexes, has the middleware that `startproject` writes, and
requires a signed-in person. The bare view receives its condition as SQL, the same as that of the product.
"""

import os
from typing import Any

from django.core.asgi import get_asgi_application
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sift_dashboard.settings")

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ROWS = 50
COLUMNS = ("status", "direction", "at", "talk_seconds", "from_endpoint", "to_endpoint", "connection_id")
PAGE = """<!doctype html><title>Calls</title><table>
{% for call in calls %}<tr><td>{{ call.status }}<td>{{ call.direction }}<td>{{ call.at }}
<td>{{ call.talk_seconds }}<td>{{ call.from_endpoint }}<td>{{ call.to_endpoint }}
<td><a href="/calls/{{ call.connection_id }}/">open</a></tr>
{% endfor %}</table>{% if counted %}{{ counted }} calls{% endif %}"""


def application() -> object:
    """Return the ASGI application, with the product's settings except for middleware, templates and URLs."""
    from django.conf import settings

    settings.MIDDLEWARE = MIDDLEWARE
    settings.TEMPLATES = TEMPLATES
    settings.ROOT_URLCONF = __name__
    return get_asgi_application()


def keyset(request: HttpRequest) -> HttpResponse:
    """Show the first ROWS calls for which the SQL condition in `where` holds."""
    from connections_app.models import Connection

    condition = request.GET.get("where", "").replace("%", "%%")
    calls = Connection.objects.raw(
        f"SELECT id, {', '.join(COLUMNS)} FROM connections_app_connection"  # noqa: S608
        f" {'WHERE ' + condition if condition else ''} ORDER BY at DESC, id DESC LIMIT {ROWS}"
    )
    return _answer(calls)


def paginated(request: HttpRequest) -> HttpResponse:
    """Show a page of calls by offset and their number, filtered by the fields in the query string."""
    from connections_app.models import Connection

    lookups = {name: value for name, value in request.GET.items() if name != "page"}
    calls = Connection.objects.filter(**lookups).defer("raw", "client_data").order_by("-at", "-id")
    pages: Paginator[Any] = Paginator(calls, ROWS)
    return _answer(pages.get_page(request.GET.get("page")), pages.count)


def _answer(calls: Any, counted: int | None = None) -> HttpResponse:
    from django.template import Context

    return HttpResponse(_template().render(Context({"calls": calls, "counted": counted})))


def _template() -> Any:
    from django.template import Template

    if not _drawn:
        _drawn.append(Template(PAGE))
    return _drawn[0]


_drawn: list[Any] = []


def __getattr__(name: str) -> Any:
    """Return `urlpatterns`, made on first use: the admin needs Django to be set up."""
    if name != "urlpatterns":
        raise AttributeError(name)
    from django.contrib import admin
    from django.contrib.auth.decorators import login_required
    from django.urls import path

    from connections_app.models import Connection

    class Stock(admin.ModelAdmin):  # type: ignore[type-arg]
        list_display = COLUMNS
        list_filter = ("status", "direction")
        search_fields = ("connection_id", "from_endpoint", "to_endpoint")
        list_per_page = ROWS
        ordering = ("-at", "-id")

    site = admin.AdminSite("admin")
    site.register(Connection, Stock)
    return [
        path("keyset/", login_required(keyset)),
        path("paginated/", login_required(paginated)),
        path("admin/", site.urls),
    ]
