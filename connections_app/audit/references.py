"""People in the records: they are deactivated, and never deleted."""

from typing import Any

from django.contrib.admin.models import LogEntry
from django.db.models import ProtectedError

from connections_app.models import Action, BulkTagging, CallRequest, Note, Operator, Push


def is_on_record(operator: Operator) -> bool:
    """Return True if any call, request, note or action is this person's. At most seven indexed queries.

    Deleting such a person would rewrite each of these rows, by the million, and remove their name from them.
    """
    references = (
        operator.calls.all(),
        CallRequest.objects.filter(operator=operator),
        Push.objects.filter(operator=operator),
        Note.objects.filter(author=operator),
        BulkTagging.objects.filter(operator=operator),
        Action.objects.filter(actor_id=operator.pk),
        LogEntry.objects.filter(user=operator),
    )
    return any(rows.exists() for rows in references)


def prevent_deletion(instance: Operator, **_: Any) -> None:
    """Raise `ProtectedError` before the deletion of a person who is on record."""
    if is_on_record(instance):
        raise ProtectedError(f"{instance} is on record, and can be deactivated only.", {instance})
