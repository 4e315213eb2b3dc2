from django.urls import path

from connections_app.hooks import views
from connections_app.hooks.dispatch import ANSWERS

# The address also works without its last slash, since it may be copied without.
urlpatterns = [
    path(f"hooks/sift/{kind}/<token:token>{end}", views.callback, {"kind": kind}, name)
    for kind in ANSWERS
    for end, name in (("/", f"hook_{kind}"), ("", None))
]
