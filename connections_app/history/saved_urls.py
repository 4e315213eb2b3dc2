from django.urls import path

from connections_app.history.views import saved

urlpatterns = [
    path("", saved.views, name="views"),
    path("put-back/", saved.put_view_back, name="put_view_back"),
    path("<str:code>/", saved.saved_view, name="saved_view"),
    path("<str:code>/change/", saved.change_view, name="change_view"),
    path("<str:code>/delete/", saved.delete_view, name="delete_view"),
]
