"""The record of what people did: one row for the intent, written before its effect, one for the outcome."""

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
    """Add one step of one deed to the record, in the transaction that is open.

    `actor` is None for the dashboard itself. An intent is to be committed before its effect outside.
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
    """From where `request` came; None over a socket that has no address."""
    try:
        return str(ip_address(request.META.get("REMOTE_ADDR", "")))
    except ValueError:
        return None
