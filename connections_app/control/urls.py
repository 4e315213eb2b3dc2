from django.urls import path

from connections_app.control import views

urlpatterns = [
    path("place/", views.place, name="place"),
    path("place/check/", views.check_place, name="check_place"),
    path("requests/<uuid:request_id>/", views.call_request, name="call_request"),
    path("requests/<uuid:request_id>/settle/", views.settle_request, name="settle_request"),
    path("<str:connection_id>/routine/", views.push_routine, name="push_routine"),
    path("<str:connection_id>/routine/check/", views.check_push, name="check_push"),
    path("<str:connection_id>/hangup/", views.hang_up, name="hang_up"),
    path("<str:connection_id>/check/", views.check, name="check_call"),
    path("<str:connection_id>/clear/", views.clear, name="clear_call"),
]
