from django.urls import path

from connections_app.people import views

urlpatterns = [
    path("login/", views.SignIn.as_view(), name="login"),
    path("logout/", views.SignOut.as_view(), name="logout"),
    path("preferences/", views.preferences, name="preferences"),
    path("columns/", views.columns, name="columns"),
]
