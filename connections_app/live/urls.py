from django.urls import path

from connections_app.live import views

urlpatterns = [
    path("", views.show_board, name="board"),
    path("wall/", views.show_wall, name="wall"),
    path("wall/<token:token>/", views.open_wall, name="open_wall"),
]
