from django.urls import path

from connections_app.sync import views

urlpatterns = [
    path("callbacks/", views.show_addresses, name="sync_addresses"),
    path("", views.show_sync, name="sync"),
    path("now/", views.sync_now, name="sync_now"),
    path("everything/", views.sync_full, name="sync_full"),
    path("pause/", views.sync_pause, name="sync_pause"),
    path("resume/", views.sync_resume, name="sync_resume"),
    path("unusable-rows/retry/", views.retry_unusable_rows, name="retry_unusable_rows"),
]
