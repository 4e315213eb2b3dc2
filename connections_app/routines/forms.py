"""Forms for a routine, except for its commands."""

from typing import Any

from django import forms

from connections_app.models import UsedBy
from connections_app.models.characters import check_is_seen
from connections_app.routines.library import RoutineDraft

LARGEST_INTEGER = 2**31 - 1


class RoutineForm(forms.Form):
    """A draft. Its commands may have problems; the editor checks that they can be read."""

    name = forms.CharField(max_length=100, validators=[check_is_seen])
    description = forms.CharField(max_length=300, required=False)
    used_by = forms.ChoiceField(choices=UsedBy.choices)
    revision = forms.IntegerField(min_value=0, max_value=LARGEST_INTEGER, required=False)
    json = forms.CharField(strip=False, required=False)

    def typed(self) -> RoutineDraft:
        """Return the draft of a valid form."""
        given = self.cleaned_data
        return RoutineDraft(
            given["name"],
            given["description"],
            UsedBy(given["used_by"]),
            given["json"],
            given["revision"] or 0,
        )


class PublishForm(RoutineForm):
    """A version to publish; `unknown` confirms unknown commands, and `although_marked` the endpoints that it
    dials although they are marked “do not call”."""

    note = forms.CharField(
        max_length=300,
        validators=[check_is_seen],
        error_messages={"required": "Say what changed, for those who look back."},
    )
    unknown = forms.BooleanField(required=False)
    although_marked = forms.CharField(required=False, max_length=100_000)

    def __init__(self, *args: Any, has_unknown: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.has_unknown = has_unknown

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.has_unknown and not cleaned.get("unknown"):
            self.add_error("unknown", "Tick this to publish it all the same.")
        return cleaned


class RevisionForm(forms.Form):
    """The revision of the routine on the page where a button was pressed."""

    revision = forms.IntegerField(min_value=0, max_value=LARGEST_INTEGER)


class NumberForm(forms.Form):
    """The number of a version."""

    number = forms.IntegerField(min_value=1, max_value=LARGEST_INTEGER)
