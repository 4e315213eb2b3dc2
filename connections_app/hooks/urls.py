from django.urls import path

from connections_app import addresses
from connections_app.hooks import views
from connections_app.hooks.taking import ANSWERS

__all__ = ["addresses"]

urlpatterns = [
    path(f"hooks/sift/{kind}/<token:token>/", views.callback, {"kind": kind}, f"hook_{kind}")
    for kind in ANSWERS
]
