from django.urls import path

from connections_app.saved_views import views

urlpatterns = [
    path("", views.views, name="views"),
    path("put-back/", views.restore_view, name="put_view_back"),
    path("<str:code>/", views.saved_view, name="saved_view"),
    path("<str:code>/change/", views.change_view, name="change_view"),
    path("<str:code>/delete/", views.delete_view, name="delete_view"),
]
