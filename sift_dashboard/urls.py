"""Every address the dashboard answers; each feature lists its own."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("connections_app.live.urls")),
    path("calls/", include("connections_app.history.urls")),
    path("sync/", include("connections_app.sync.urls")),
    path("accounts/", include("connections_app.people.urls")),
    path("admin/", admin.site.urls),
    path("", include("connections_app.health.urls")),
]
