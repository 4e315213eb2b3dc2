"""Rows that could not become connections: kept with the reason, and tried again."""

import hashlib
import json
from collections.abc import Iterable

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from connections_app.calls.ingest import Changes, ingest
from connections_app.models import Source, UnusableRow
from connections_app.sift.payloads import JSON, Observation, Unusable, parse_connection


def store_unusable(rows: Iterable[Unusable]) -> None:
    """Store each distinct row once, with the reason, when it was last seen and how often."""
    now = timezone.now()
    for row in rows:
        kept, is_new = UnusableRow.objects.get_or_create(
            digest=_digest(row.payload),
            defaults={
                "payload": row.payload,
                "reason": row.reason,
                "connection_id": row.connection_id,
                "last_seen_at": now,
            },
        )
        if not is_new:
            UnusableRow.objects.filter(pk=kept.pk).update(
                times=F("times") + 1, last_seen_at=now, reason=row.reason
            )


def discard_resolved(observations: Iterable[Observation]) -> None:
    """Delete the unusable rows whose connection has since been read completely."""
    UnusableRow.objects.filter(connection_id__in=[one.connection_id for one in observations]).delete()


@transaction.atomic
def retry_unusable() -> Changes:
    """Parse every unusable row again, as after an upgrade; those that are now usable become connections."""
    usable = []
    for kept in UnusableRow.objects.select_for_update().iterator():
        parsed = parse_connection(kept.payload)
        if isinstance(parsed, Observation):
            usable.append(parsed)
            kept.delete()
        elif parsed.reason != kept.reason:
            UnusableRow.objects.filter(pk=kept.pk).update(reason=parsed.reason)
    return ingest(usable, Source.LIST)


def _digest(payload: JSON) -> str:
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
