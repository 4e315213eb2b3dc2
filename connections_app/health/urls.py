from django.urls import path

from connections_app.health import views

urlpatterns = [path("healthz", views.healthz), path("readyz", views.readyz)]
