"""Form fields that several features share."""

from typing import Any

from django import forms

from connections_app.models.characters import check_is_seen

NO_ID = "The form has no id. Reload the page."


class LinesField(forms.CharField):
    """Text of several lines. Browsers end each with `\\r\\n`; it is saved and counted as `\\n`."""

    def to_python(self, value: Any) -> str | None:
        text = None if value is None else str(value).replace("\r\n", "\n").replace("\r", "\n")
        return super().to_python(text)


class NameField(forms.CharField):
    """A name: one line, with single spaces and at least one visible character."""

    default_validators = [check_is_seen]

    def to_python(self, value: Any) -> str | None:
        text = super().to_python(value)
        return " ".join(text.split()) if text else text
