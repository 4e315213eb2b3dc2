"""The form of a saved view."""

from django import forms

from connections_app.models import SavedView
from connections_app.web.fields import NameField

LONGEST_NAME = SavedView._meta.get_field("name").max_length or 0


class ViewForm(forms.Form):
    """A saved view's name, on one line, and its sharing with everybody."""

    name = NameField(
        max_length=LONGEST_NAME,
        error_messages={
            "required": "A view needs a name.",
            "max_length": f"A view's name has at most {LONGEST_NAME} characters.",
        },
    )
    is_shared = forms.BooleanField(required=False)
