"""The audit log: for each action, one row for the intent, written before its effect, one for the outcome."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from django.http import HttpRequest

from connections_app.models import Action, Operator, Verb


def record(
    verb: Verb,
    phase: Action.Phase,
    actor: Operator | None,
    *,
    address: str | None = None,
    connection_id: str = "",
    subject: str = "",
    payload: Mapping[str, Any] | None = None,
    outcome: str = "",
) -> Action:
    """Add one phase of an action to the audit log, in the open transaction.

    `actor` is None for the dashboard itself. Commit an intent before its effect outside.
    """
    return Action.objects.create(
        verb=verb,
        phase=phase,
        actor_id=actor.pk if actor else None,
        actor=actor.get_username() if actor else "",
        address=address,
        connection_id=connection_id,
        subject=subject,
        payload=dict(payload or {}),
        outcome=outcome,
    )


def address_of(request: HttpRequest) -> str | None:
    """Return the IP address of the client; None over a socket without an address."""
    try:
        return str(ip_address(request.META.get("REMOTE_ADDR", "")))
    except ValueError:
        return None
