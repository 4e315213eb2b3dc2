"""A bare Django view that does one upsert, without middleware: the baseline for callbacks."""

import json
import os

from django.core.asgi import get_asgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sift_dashboard.settings")

TABLE = "CREATE TABLE bench_call (connection_id text PRIMARY KEY, status text NOT NULL, body jsonb NOT NULL)"
UPSERT = """
    INSERT INTO bench_call (connection_id, status, body) VALUES (%s, %s, %s)
    ON CONFLICT (connection_id) DO UPDATE SET status = excluded.status, body = excluded.body
"""


def upsert(request: HttpRequest) -> JsonResponse:
    """Store the call of a callback, in place of an earlier one."""
    from django.db import connection

    call = json.loads(request.body)["connection"]
    with connection.cursor() as cursor:
        cursor.execute(UPSERT, [call["connection_id"], call["status"], request.body.decode()])
    return JsonResponse({}, headers={"Content-Length": "2"})


urlpatterns = [path("bare/", upsert)]


def application() -> object:
    """Return the ASGI application, with the product's settings except for these two."""
    from django.conf import settings

    settings.MIDDLEWARE = []
    settings.ROOT_URLCONF = __name__
    return get_asgi_application()
