from django.urls import path

from connections_app.call_page import note_views, views

NOTE = "calls/<str:connection_id>/notes/<int:pk>/"

urlpatterns = [
    path("calls/<str:connection_id>/", views.call, name="call"),
    path("calls/<str:connection_id>/notes/", note_views.write_note, name="write_note"),
    path(NOTE, note_views.change_note, name="change_note"),
    path(f"{NOTE}away/", note_views.remove_note, name="take_note_away"),
    path(f"{NOTE}back/", note_views.restore_note, name="put_note_back"),
]
