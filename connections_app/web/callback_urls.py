"""URLs that contain a token: Sift's callbacks and the wallboard. Also removes tokens from what is shown."""

import re
from typing import Any

from django.conf import settings
from django.urls import reverse

# The format of `new_token`.
TOKEN = "[A-Za-z0-9_-]{43}"  # noqa: S105
TOKENS = re.compile(f"(/hooks/sift/[a-z]+/){TOKEN}")


class TokenConverter:
    """The path converter of `<token:…>`; any other text is not found."""

    regex = TOKEN

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


def status_address(token: str) -> str:
    """Return the URL at which Sift reports the status of a placed call."""
    return _address("hook_status", token)


def incoming_address(token: str) -> str:
    """Return the URL at which Sift reports an incoming call: the application's `on_incoming`."""
    return _address("hook_incoming", token)


def done_address(token: str) -> str:
    """Return the URL at which Sift reports the keys or the speech of the caller."""
    return _address("hook_done", token)


def wall_address(token: str) -> str:
    """Return the URL at which the wallboard is shown without signing in."""
    return _address("open_wall", token)


def without_tokens(value: Any) -> Any:
    """Return `value`, decoded JSON, with `…` for the token in each callback URL."""
    if isinstance(value, str):
        return TOKENS.sub(r"\1…", value)
    if isinstance(value, list):
        return [without_tokens(item) for item in value]
    if isinstance(value, dict):
        return {key: without_tokens(item) for key, item in value.items()}
    return value


def _address(name: str, token: str) -> str:
    return f"{settings.CALLBACK_URL}{reverse(name, kwargs={'token': token})}"
