"""Links to the wallboard: anyone with a link sees it without signing in, until the link is revoked."""

import re

from django.db import transaction
from django.db.models import Value
from django.utils import timezone

from connections_app.audit.log import record
from connections_app.models import Action, Operator, TokenDigest, Verb, WallLink
from connections_app.web.callback_urls import TOKEN

COOKIE = "wall"  # holds the token in the browser


def link_of(token: str) -> WallLink | None:
    """Return the link with this `token`; None if there is none or it is revoked."""
    if not re.fullmatch(TOKEN, token):
        return None
    return (
        WallLink.objects.alias(by=TokenDigest("token"))
        .filter(by=TokenDigest(Value(token)), revoked_at=None)
        .first()
    )


def share(link: WallLink, operator: Operator, address: str | None) -> None:
    """Save `link`, a new one, and record it in the audit log."""
    link.made_by = operator
    with transaction.atomic():
        link.save()
        _record(Verb.SHARE_WALL, link, operator, address)


def revoke(link: WallLink, operator: Operator, address: str | None) -> bool:
    """Revoke `link`, on record; open wallboards end within seconds. Returns True if it was still in use."""
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
