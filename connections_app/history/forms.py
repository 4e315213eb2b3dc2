"""The forms of history: notes, tags, tagging many calls, and saved views."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.dateparse import parse_datetime

from connections_app.models import Colour, Note, SavedView, Tag

LONGEST_NOTE = Note._meta.get_field("text").max_length or 0
LONGEST_NAME = Tag._meta.get_field("name").max_length or 0
LONGEST_VIEW_NAME = SavedView._meta.get_field("name").max_length or 0
NO_ID = "The form has no id. Reload the page."


class LinesField(forms.CharField):
    """Text of several lines. Browsers end each with two characters; kept, and counted, is one."""

    def to_python(self, value: Any) -> str | None:
        text = None if value is None else str(value).replace("\r\n", "\n").replace("\r", "\n")
        return super().to_python(text)


class NameField(forms.CharField):
    """A name: one line, with single spaces."""

    def to_python(self, value: Any) -> str | None:
        text = super().to_python(value)
        return " ".join(text.split()) if text else text


class NoteForm(forms.Form):
    request_id = forms.UUIDField(error_messages={"required": NO_ID, "invalid": NO_ID})
    text = LinesField(
        max_length=LONGEST_NOTE,
        error_messages={
            "required": "Write something first.",
            "max_length": f"A note has at most {LONGEST_NOTE:,} characters; this one has %(show_value)d.",
        },
    )


class NoteChangeForm(forms.Form):
    """A note's new text; `as_of` is when it had been changed before it was opened, empty for never."""

    as_of = forms.CharField(required=False)
    text = NoteForm.base_fields["text"]

    def clean_as_of(self) -> datetime | None:
        try:
            return parse_datetime(self.cleaned_data["as_of"])
        except ValueError:
            return None


class TagForm(forms.Form):
    name = NameField(
        max_length=LONGEST_NAME,
        error_messages={
            "required": "A tag needs a name.",
            "max_length": f"A tag's name has at most {LONGEST_NAME} characters.",
        },
    )
    colour = forms.ChoiceField(choices=Colour.choices, initial=Colour.BLUE)


class ViewForm(forms.Form):
    """A saved view's name, on one line, and whether it is for all."""

    name = NameField(
        max_length=LONGEST_VIEW_NAME,
        error_messages={
            "required": "A view needs a name.",
            "max_length": f"A view's name has at most {LONGEST_VIEW_NAME} characters.",
        },
    )
    is_shared = forms.BooleanField(required=False)


class BulkForm(forms.Form):
    """A tag by name, to be put on or taken off the selected calls, or all that `query` asks for."""

    ADD, REMOVE = "add", "remove"
    SELECTED, ALL = "selected", "all"

    tag = NameField(
        max_length=LONGEST_NAME,
        error_messages={
            "required": "Say which tag.",
            "max_length": f"A tag's name has at most {LONGEST_NAME} characters.",
        },
    )
    do = forms.ChoiceField(
        choices=[(ADD, "Put on"), (REMOVE, "Take off")],
        error_messages={"required": "Say whether to put it on or take it off."},
    )
    scope = forms.ChoiceField(required=False, choices=[(SELECTED, "Selected"), (ALL, "All")])
    query = forms.CharField(required=False, strip=False)
    call = forms.TypedMultipleChoiceField(required=False, coerce=int)

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        given = dict.fromkeys(data.getlist("call"))
        self.fields["call"].choices = [(key, key) for key in given if key.isascii() and key.isdigit()]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("scope") != self.ALL and not cleaned.get("call") and "call" not in self.errors:
            self.add_error(None, "No call is selected.")
        return cleaned
