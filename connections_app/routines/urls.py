from django.urls import path

from connections_app.routines import views

urlpatterns = [
    path("", views.show_routines, name="routines"),
    path("new/", views.edit, name="routine_new"),
    path("schema.json", views.schema, name="routine_schema"),
    path("<int:pk>/", views.show_routine, name="routine"),
    path("<int:pk>/edit/", views.edit, name="routine_edit"),
    path("<int:pk>/compare/", views.compare, name="routine_compare"),
    path("<int:pk>/bring-back/", views.restore, name="routine_bring_back"),
    path("<int:pk>/archive/", views.archive, name="routine_archive"),
    path("<int:pk>/unarchive/", views.unarchive, name="routine_unarchive"),
    path("<int:pk>/delete/", views.delete, name="routine_delete"),
]
