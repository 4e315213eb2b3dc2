from django.urls import path

from connections_app.history import views

urlpatterns = [
    path("", views.calls, name="calls"),
    path("search/", views.search_calls, name="search_calls"),
    path("<str:connection_id>/", views.call, name="call"),
]
