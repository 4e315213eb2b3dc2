"""Links to the wallboard: who has one sees the board without signing in, until it is revoked."""

import re

from django.db import transaction
from django.db.models import Value
from django.utils import timezone

from connections_app.audit.log import record
from connections_app.models import Action, Operator, TokenDigest, Verb, WallLink
from connections_app.web.callback_urls import TOKEN

# Holds the token in the browser that a wall is shown with.
COOKIE = "wall"


def link_of(token: str) -> WallLink | None:
    """The link that `token` belongs to, while it is not revoked."""
    if not re.fullmatch(TOKEN, token):
        return None
    return (
        WallLink.objects.alias(by=TokenDigest("token"))
        .filter(by=TokenDigest(Value(token)), revoked_at=None)
        .first()
    )


def share(link: WallLink, operator: Operator, address: str | None) -> None:
    """Make a new link to the wallboard, on record."""
    link.made_by = operator
    with transaction.atomic():
        link.save()
        _record(Verb.SHARE_WALL, link, operator, address)


def revoke(link: WallLink, operator: Operator, address: str | None) -> bool:
    """Revoke a link, on record; whether it was still in use. Open wallboards end within seconds."""
    with transaction.atomic():
        revoked = WallLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=timezone.now())
        if revoked:
            _record(Verb.REVOKE_WALL, link, operator, address)
    return bool(revoked)


def _record(verb: Verb, link: WallLink, operator: Operator, address: str | None) -> None:
    record(
        verb,
        Action.Phase.OUTCOME,
        operator,
        address=address,
        subject=f"{link.pk}: {link.name}",
        outcome="Done.",
    )
