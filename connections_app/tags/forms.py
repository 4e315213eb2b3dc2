"""Forms for one tag, and for one tag on many calls."""

from typing import Any

from django import forms

from connections_app.models import Colour, Tag
from connections_app.web.fields import NameField

LONGEST_NAME = Tag._meta.get_field("name").max_length or 0


class TagForm(forms.Form):
    """The name and colour of a tag."""

    name = NameField(
        max_length=LONGEST_NAME,
        error_messages={
            "required": "A tag needs a name.",
            "max_length": f"A tag's name has at most {LONGEST_NAME} characters.",
        },
    )
    colour = forms.ChoiceField(choices=Colour.choices, initial=Colour.BLUE)


class BulkForm(forms.Form):
    """The name of a tag to add to, or remove from, the selected calls or all that match `query`."""

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
