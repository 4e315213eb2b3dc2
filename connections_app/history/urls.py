from django.urls import path

from connections_app.history.exports.views import export_calls
from connections_app.history.views import bulk, notes, tags
from connections_app.history.views.call import call
from connections_app.history.views.calls import calls, choices
from connections_app.history.views.search import search_calls

urlpatterns = [
    path("", calls, name="calls"),
    path("choices/<str:name>/", choices, name="choices"),
    path("export/", export_calls, name="export_calls"),
    path("search/", search_calls, name="search_calls"),
    path("tags/", tags.tags, name="tags"),
    path("tags/names/", tags.tag_names, name="tag_names"),
    path("tags/<int:pk>/", tags.change_tag, name="change_tag"),
    path("tags/<int:pk>/delete/", tags.delete_tag, name="delete_tag"),
    path("tags/bulk/", bulk.bulk_tag, name="bulk_tag"),
    path("tags/bulk/confirm/", bulk.confirm_bulk, name="confirm_bulk"),
    path("tags/bulk/<int:pk>/", bulk.show_bulk, name="bulk"),
    path("tags/bulk/<int:pk>/stop/", bulk.stop_bulk, name="stop_bulk"),
    path("tags/bulk/<int:pk>/undo/", bulk.undo_bulk, name="undo_bulk"),
    path("<str:connection_id>/", call, name="call"),
    path("<str:connection_id>/tags/", tags.tag_call, name="tag_call"),
    path("<str:connection_id>/notes/", notes.write_note, name="write_note"),
    path("<str:connection_id>/notes/<int:pk>/", notes.change_note, name="change_note"),
    path("<str:connection_id>/notes/<int:pk>/away/", notes.take_note_away, name="take_note_away"),
    path("<str:connection_id>/notes/<int:pk>/back/", notes.put_note_back, name="put_note_back"),
]
