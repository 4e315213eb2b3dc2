"""The project's `urls.py` has `/calls/tags/`, with the other addresses that a call id may equal."""

from django.urls import path

from connections_app.tags import bulk_views, views

urlpatterns = [
    path("calls/tags/names/", views.tag_names, name="tag_names"),
    path("calls/tags/<int:pk>/", views.change_tag, name="change_tag"),
    path("calls/tags/<int:pk>/delete/", views.delete_tag, name="delete_tag"),
    path("calls/tags/bulk/", bulk_views.bulk_tag, name="bulk_tag"),
    path("calls/tags/bulk/confirm/", bulk_views.confirm_bulk, name="confirm_bulk"),
    path("calls/tags/bulk/<int:pk>/", bulk_views.show_bulk, name="bulk"),
    path("calls/tags/bulk/<int:pk>/stop/", bulk_views.stop_bulk, name="stop_bulk"),
    path("calls/tags/bulk/<int:pk>/undo/", bulk_views.undo_bulk, name="undo_bulk"),
    path("calls/<str:connection_id>/tags/", views.tag_call, name="tag_call"),
]
