from django.urls import path, register_converter

from connections_app.hooks import views


class TokenConverter:
    """A token as `new_token` makes it; anything else is not found."""

    regex = "[A-Za-z0-9_-]{43}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(TokenConverter, "token")

urlpatterns = [
    path("hooks/sift/status/<token:token>/", views.status, name="hook_status"),
    path("hooks/sift/incoming/<token:token>/", views.incoming, name="hook_incoming"),
    path("hooks/sift/done/<token:token>/", views.done, name="hook_done"),
]
