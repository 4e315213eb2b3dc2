"""Every address the dashboard answers; each feature lists its own."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

handler500 = "connections_app.health.views.server_error"

urlpatterns = [
    path("", include("connections_app.live.urls")),
    path("calls/", include("connections_app.control.urls")),
    path("calls/", include("connections_app.history.urls")),
    path("exports/", include("connections_app.history.exports.urls")),
    path("v/", include("connections_app.history.saved_urls")),
    path("", include("connections_app.hooks.urls")),
    path("contacts/", include("connections_app.contacts.urls")),
    path("routines/", include("connections_app.routines.urls")),
    path("sync/", include("connections_app.sync.urls")),
    path("accounts/", include("connections_app.people.urls")),
    # One way to sign in, the admin too.
    path("admin/login/", RedirectView.as_view(pattern_name="login", query_string=True)),
    path("admin/", admin.site.urls),
    path("", include("connections_app.health.urls")),
]
