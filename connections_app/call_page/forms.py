"""Forms for notes."""

from datetime import datetime

from django import forms
from django.utils.dateparse import parse_datetime

from connections_app.models import Note
from connections_app.web.fields import NO_ID, LinesField

LONGEST_NOTE = Note._meta.get_field("text").max_length or 0


class NoteForm(forms.Form):
    """A new note; `request_id` identifies the form, so that it writes one note only."""

    request_id = forms.UUIDField(error_messages={"required": NO_ID, "invalid": NO_ID})
    text = LinesField(
        max_length=LONGEST_NOTE,
        error_messages={
            "required": "Write something first.",
            "max_length": f"A note has at most {LONGEST_NOTE:,} characters; this one has %(show_value)d.",
        },
    )


class NoteChangeForm(forms.Form):
    """A note's new text; `as_of` is its `edited_at` when the form was opened, empty for None."""

    as_of = forms.CharField(required=False)
    text = NoteForm.base_fields["text"]

    def clean_as_of(self) -> datetime | None:
        """Return the time, or None for an empty or invalid one."""
        try:
            return parse_datetime(self.cleaned_data["as_of"])
        except ValueError:
            return None
