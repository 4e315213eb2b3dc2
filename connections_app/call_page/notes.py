"""Write, change, remove and restore notes on calls. Authors and supervisors may change them.

No text is lost: each change keeps the earlier text, and a removed note can be restored.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from connections_app.access.permissions import check_may_change_note, check_may_write_notes
from connections_app.calls.notify import announce
from connections_app.models import Connection, EarlierText, Note, Operator


class ChangedMeanwhile(Exception):
    """Somebody else changed or removed the note since it was opened; `note` is its current state."""

    def __init__(self, note: Note) -> None:
        super().__init__(note.pk)
        self.note = note


class OtherNote(Exception):
    """The form's id was used for another note: other text, another call or another author."""


def write(call: Connection, text: str, author: Operator, request_id: UUID) -> Note:
    """Write a note, once for each form `request_id`. Returns the note, also if the form is sent again.

    Raises `PermissionDenied`, and `OtherNote` if the form's id was used for another note.
    """
    check_may_write_notes(author)
    defaults = {
        "connection": call,
        "text": text,
        "author": author,
        "author_name": author.get_username(),
    }
    note, is_new = Note.objects.get_or_create(request_id=request_id, defaults=defaults)
    if is_new:
        announce([call.pk])
    elif (note.connection_id, note.author_id, _first_text(note)) != (call.pk, author.pk, text):
        raise OtherNote
    return note


def _first_text(note: Note) -> str:
    """Return the original text of `note`."""
    earliest = note.earlier_texts.order_by("pk").first()
    return earliest.text if earliest else note.text


def change(note: Note, text: str, operator: Operator, as_of: datetime | None) -> None:
    """Replace the note's text and keep the earlier one; `as_of` is its `edited_at` when it was opened.

    The same text changes nothing. Raises `PermissionDenied` and `ChangedMeanwhile`.
    """
    with transaction.atomic():
        current = _locked(note, operator)
        if current.text == text and not current.removed_at:
            return
        if current.removed_at or current.edited_at != as_of:
            raise ChangedMeanwhile(current)
        current.edited_at = timezone.now()
        EarlierText.objects.create(
            note=current,
            text=current.text,
            replaced_at=current.edited_at,
            replaced_by=operator.get_username(),
        )
        current.text = text
        current.save(update_fields=["text", "edited_at"])
        announce([current.connection_id])


def remove(note: Note, operator: Operator) -> None:
    """Hide the note, which can be restored. Raises `PermissionDenied`."""
    _set_removed(note, operator, timezone.now(), operator.get_username())


def restore(note: Note, operator: Operator) -> None:
    """Show a removed note again. Raises `PermissionDenied`."""
    _set_removed(note, operator, None, "")


def _set_removed(note: Note, operator: Operator, at: datetime | None, by: str) -> None:
    with transaction.atomic():
        current = _locked(note, operator)
        if (current.removed_at is None) == (at is None):
            return
        current.removed_at, current.removed_by = at, by
        current.save(update_fields=["removed_at", "removed_by"])
        announce([current.connection_id])


def _locked(note: Note, operator: Operator) -> Note:
    current = Note.objects.select_for_update().get(pk=note.pk)
    check_may_change_note(operator, current)
    return current
