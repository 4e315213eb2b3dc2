"""Template context about the sync, for every page."""

from typing import Any

from django.http import HttpRequest

from connections_app.calls.freshness import freshness as freshness_now


def freshness(request: HttpRequest) -> dict[str, Any]:
    """Return the freshness mark, or None for visitors who are not signed in. One or two queries."""
    user = getattr(request, "user", None)
    return {"freshness": freshness_now() if user and user.is_authenticated else None}
