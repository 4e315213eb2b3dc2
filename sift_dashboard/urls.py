"""All addresses of the dashboard; each feature lists its own."""

from django.contrib import admin
from django.urls import include, path

from connections_app.call_list.views import search_calls
from connections_app.call_page.views import call_or_page
from connections_app.exports.views import export_calls
from connections_app.people.views import admin_login
from connections_app.tags.views import tags

handler500 = "connections_app.health.views.server_error"

# The order matters: `calls/<str:connection_id>/` would match all other addresses of its form.
urlpatterns = [
    path("", include("connections_app.live.urls")),
    path("calls/", include("connections_app.control.urls")),
    # These addresses are the words in `sift.connection_ids.SHARED`.
    path("calls/export/", call_or_page("export", export_calls), name="export_calls"),
    path("calls/search/", call_or_page("search", search_calls), name="search_calls"),
    path("calls/tags/", call_or_page("tags", tags), name="tags"),
    path("", include("connections_app.call_list.urls")),
    path("", include("connections_app.tags.urls")),
    path("", include("connections_app.call_page.urls")),
    path("exports/", include("connections_app.exports.urls")),
    path("v/", include("connections_app.saved_views.urls")),
    path("", include("connections_app.hooks.urls")),
    path("contacts/", include("connections_app.contacts.urls")),
    path("routines/", include("connections_app.routines.urls")),
    path("sync/", include("connections_app.sync.urls")),
    path("accounts/", include("connections_app.people.urls")),
    # The admin has the same sign-in page.
    path("admin/login/", admin_login),
    path("admin/", admin.site.urls),
    path("", include("connections_app.health.urls")),
]
