from django.urls import path

from connections_app.live import views

urlpatterns = [
    path("", views.show_board, name="board"),
    path("wall/<token:token>/", views.show_wall, name="wall"),
]
