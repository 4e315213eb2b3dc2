from django.urls import path

from connections_app.history.views.call import call
from connections_app.history.views.calls import calls
from connections_app.history.views.search import search_calls

urlpatterns = [
    path("", calls, name="calls"),
    path("search/", search_calls, name="search_calls"),
    path("<str:connection_id>/", call, name="call"),
]
