"""Addresses that hold a token: those that Sift calls back, and the wallboard's. And keeping tokens unseen."""

import re
from typing import Any

from django.conf import settings
from django.urls import reverse

# A token as `new_token` makes it.
TOKEN = "[A-Za-z0-9_-]{43}"  # noqa: S105
TOKENS = re.compile(f"(/hooks/sift/[a-z]+/){TOKEN}")


class TokenConverter:
    """`<token:…>` in an address; anything else is not found."""

    regex = TOKEN

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


def status_address(token: str) -> str:
    """Where Sift tells how a placed call goes on."""
    return _address("hook_status", token)


def incoming_address(token: str) -> str:
    """Where Sift tells of a call that comes in: the application's `on_incoming`."""
    return _address("hook_incoming", token)


def done_address(token: str) -> str:
    """Where Sift tells what the caller keyed or said."""
    return _address("hook_done", token)


def wall_address(token: str) -> str:
    """Where the wallboard is seen without signing in."""
    return _address("open_wall", token)


def without_tokens(value: Any) -> Any:
    """`value`, decoded JSON, with `…` for the token in each of these addresses."""
    if isinstance(value, str):
        return TOKENS.sub(r"\1…", value)
    if isinstance(value, list):
        return [without_tokens(item) for item in value]
    if isinstance(value, dict):
        return {key: without_tokens(item) for key, item in value.items()}
    return value


def _address(name: str, token: str) -> str:
    return f"{settings.CALLBACK_URL}{reverse(name, kwargs={'token': token})}"
