"""Notes on calls: written, changed by their authors and by supervisors, taken away, and put back.

Nothing that was written is lost: each change keeps the text before it, and what is taken away can be put
back.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from connections_app.access.permissions import check_may_change_note, check_may_write_notes
from connections_app.calls.notify import announce
from connections_app.models import Connection, EarlierText, Note, Operator


class ChangedMeanwhile(Exception):
    """Somebody else changed the note, or took it away, since it was opened; `note` is how it is now."""

    def __init__(self, note: Note) -> None:
        super().__init__(note.pk)
        self.note = note


class OtherNote(Exception):
    """The form's id belongs to another note: one with other text, of another call, or by another person."""


def write(call: Connection, text: str, author: Operator, request_id: UUID) -> Note:
    """Write the note of the form `request_id`. Returns that note; the same form again writes no other.

    Raises `PermissionDenied`, and `OtherNote` where the form's id was used for another note.
    """
    check_may_write_notes(author)
    written = {
        "connection": call,
        "text": text,
        "author": author,
        "author_name": author.get_username(),
    }
    note, is_new = Note.objects.get_or_create(request_id=request_id, defaults=written)
    if is_new:
        announce([call.pk])
    elif (note.connection_id, note.author_id, _first_text(note)) != (call.pk, author.pk, text):
        raise OtherNote
    return note


def _first_text(note: Note) -> str:
    """Return the text that `note` was written with, before anybody changed it."""
    earliest = note.earlier_texts.order_by("pk").first()
    return earliest.text if earliest else note.text


def change(note: Note, text: str, operator: Operator, as_of: datetime | None) -> None:
    """Put `text` in the place of the note's, which is kept; `as_of` is its `edited_at` when it was opened.

    The same text again changes nothing. Raises `PermissionDenied`, and `ChangedMeanwhile`.
    """
    with transaction.atomic():
        now_is = _locked(note, operator)
        if now_is.text == text and not now_is.removed_at:
            return
        if now_is.removed_at or now_is.edited_at != as_of:
            raise ChangedMeanwhile(now_is)
        now_is.edited_at = timezone.now()
        EarlierText.objects.create(
            note=now_is,
            text=now_is.text,
            replaced_at=now_is.edited_at,
            replaced_by=operator.get_username(),
        )
        now_is.text = text
        now_is.save(update_fields=["text", "edited_at"])
        announce([now_is.connection_id])


def remove(note: Note, operator: Operator) -> None:
    """Show the note no more; it is kept. Raises `PermissionDenied`."""
    _set_removed(note, operator, timezone.now(), operator.get_username())


def restore(note: Note, operator: Operator) -> None:
    """Show a note again that was taken away. Raises `PermissionDenied`."""
    _set_removed(note, operator, None, "")


def _set_removed(note: Note, operator: Operator, at: datetime | None, by: str) -> None:
    with transaction.atomic():
        now_is = _locked(note, operator)
        if (now_is.removed_at is None) == (at is None):
            return
        now_is.removed_at, now_is.removed_by = at, by
        now_is.save(update_fields=["removed_at", "removed_by"])
        announce([now_is.connection_id])


def _locked(note: Note, operator: Operator) -> Note:
    now_is = Note.objects.select_for_update().get(pk=note.pk)
    check_may_change_note(operator, now_is)
    return now_is
