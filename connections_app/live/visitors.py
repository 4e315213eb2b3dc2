"""The people who may watch: signed in, or with a link to the wallboard that is still valid."""

from collections.abc import Collection
from dataclasses import dataclass, field
from importlib import import_module
from io import BytesIO
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.core.handlers.asgi import ASGIRequest
from django.db import connection as database

from connections_app.live import walls
from connections_app.live.board_reader import Kind
from connections_app.models import Operator, WallLink

# One array: a thousand placeholders take longer than the query.
VALID_SESSIONS = "SELECT session_key FROM django_session WHERE session_key = ANY(%s) AND expire_date > now()"
SIGNED_OUT, REVOKED = "signed-out", "revoked"


@dataclass(frozen=True, slots=True)
class Visitor:
    """A viewer of `kind`: by a session, with its operator and password hash then, or by a wall's link."""

    kind: Kind
    session: str = ""
    operator: int = 0
    password: str = field(default="", repr=False)
    wall: int = 0


def visitor(scope: dict[str, Any]) -> Visitor | None:
    """Return the visitor that requests the stream; None if they may not watch. Two queries.

    `brief` in the query string requests ids only, `wall=1` the wallboard, `wall=link` the wallboard by the
    link that was opened in this browser, and `wall=<token>` by its token. Raises `SuspiciousOperation`, also
    for a host that is not ours.
    """
    request: Any = ASGIRequest(scope, BytesIO())
    request.get_host()
    try:
        wall = request.GET.get("wall", "")
        if wall not in ("", "1"):
            link = walls.link_of(request.COOKIES.get(walls.COOKIE, "") if wall == "link" else wall)
            return Visitor(Kind.WALL, wall=link.pk) if link else None
        kind = Kind.WALL if wall else Kind.BRIEF if "brief" in request.GET else Kind.BOARD
        return _signed_in(request, kind)
    finally:
        database.close()


def find_ended(visitors: Collection[Visitor]) -> dict[Visitor, str]:
    """Return those of `visitors` who may no longer watch, and why. At most three queries, however many."""
    try:
        ended = dict.fromkeys(_signed_out([one for one in visitors if one.session]), SIGNED_OUT)
        return ended | dict.fromkeys(_revoked([one for one in visitors if one.wall]), REVOKED)
    finally:
        database.close()


def _signed_in(request: Any, kind: Kind) -> Visitor | None:
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    operator = get_user(request)
    if not isinstance(operator, Operator):
        return None
    return Visitor(kind, key, operator.pk, operator.password)


def _signed_out(visitors: Collection[Visitor]) -> list[Visitor]:
    if not visitors:
        return []
    valid = _valid({one.session for one in visitors})
    operators = Operator.objects.filter(pk__in={one.operator for one in visitors}, is_active=True)
    passwords = dict(operators.values_list("pk", "password"))
    return [
        one for one in visitors if one.session not in valid or passwords.get(one.operator) != one.password
    ]


def _valid(sessions: Collection[str]) -> set[str]:
    with database.cursor() as cursor:
        cursor.execute(VALID_SESSIONS, [list(sessions)])
        return {session for (session,) in cursor.fetchall()}


def _revoked(visitors: Collection[Visitor]) -> list[Visitor]:
    if not visitors:
        return []
    links = WallLink.objects.filter(pk__in={one.wall for one in visitors}, revoked_at=None)
    valid = set(links.values_list("pk", flat=True))
    return [one for one in visitors if one.wall not in valid]
