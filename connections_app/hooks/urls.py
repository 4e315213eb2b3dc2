from django.urls import path, register_converter

from connections_app.hooks import views
from connections_app.hooks.receiving import TOKEN
from connections_app.hooks.taking import ANSWERS


class TokenConverter:
    """A token as `new_token` makes it; anything else is not found."""

    regex = TOKEN

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(TokenConverter, "token")

urlpatterns = [
    path(f"hooks/sift/{kind}/<token:token>/", views.callback, {"kind": kind}, f"hook_{kind}")
    for kind in ANSWERS
]
