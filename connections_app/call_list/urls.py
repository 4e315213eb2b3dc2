"""URLs of the list. `/calls/search/`, which could be the URL of a call, is in the project's `urls.py`."""

from django.urls import path

from connections_app.call_list import menus, views

urlpatterns = [
    path("calls/", views.calls, name="calls"),
    *(path(f"calls/choices/{name}/", views.choices, {"name": name}, name="choices") for name in menus.LABELS),
]
