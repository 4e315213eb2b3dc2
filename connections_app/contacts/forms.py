"""Forms for one contact, for the filters of the list, and for a file of contacts."""

from collections.abc import Mapping
from typing import Any

from django import forms

from connections_app.contacts.changes import ContactFields
from connections_app.contacts.csv_files import MAX_FILE_BYTES
from connections_app.contacts.endpoint_input import InvalidEndpoint, parse_endpoint
from connections_app.models import Contact, Operator
from connections_app.models.characters import check_is_seen
from connections_app.sift.placeholders import NOT_TEXT

LARGEST_INTEGER = 2**31 - 1  # of a PostgreSQL integer
LONGEST_NAME = Contact._meta.get_field("name").max_length or 0
LONGEST_NOTES = Contact._meta.get_field("notes").max_length or 0
NOT_TEXT_ERROR = "This has characters in it that are not text."
EMPTY_CONTACT = "Give it a name or notes, or mark it."


def check_is_text(value: str) -> None:
    """Raise `ValidationError` for characters that no CSV file can contain."""
    if NOT_TEXT.search(value):
        raise forms.ValidationError(NOT_TEXT_ERROR)


class NameField(forms.CharField):
    """One line, with single spaces."""

    def to_python(self, value: Any) -> str | None:
        text = super().to_python(value)
        return " ".join(text.split()) if text else text


class NotesField(forms.CharField):
    """Text of several lines. Browsers end each line with two characters; one is stored and counted."""

    def to_python(self, value: Any) -> str | None:
        text = None if value is None else str(value).replace("\r\n", "\n").replace("\r", "\n")
        return super().to_python(text)


class ContactForm(forms.Form):
    """One contact as a person edits it, based on `revision` (0 for a new one)."""

    endpoint = forms.CharField(
        max_length=300,
        error_messages={
            "required": "Whose name is this? Enter a number or a client.",
            "max_length": "This is too long for a number or a client.",
        },
    )
    name = NameField(
        required=False,
        max_length=LONGEST_NAME,
        validators=[check_is_text, check_is_seen],
        error_messages={"max_length": f"A name has at most {LONGEST_NAME} characters."},
    )
    notes = NotesField(
        required=False,
        max_length=LONGEST_NOTES,
        validators=[check_is_text],
        error_messages={"max_length": f"Notes have at most {LONGEST_NOTES:,} characters."},
    )
    do_not_call = forms.BooleanField(required=False)
    revision = forms.IntegerField(required=False, min_value=0, max_value=LARGEST_INTEGER)

    def __init__(self, data: Mapping[str, Any] | None, operator: Operator, **options: Any) -> None:
        super().__init__(data, **options)
        self.operator = operator

    def clean_endpoint(self) -> str:
        try:
            return parse_endpoint(self.cleaned_data["endpoint"], self.operator.dials_from)
        except InvalidEndpoint as problem:
            raise forms.ValidationError(str(problem)) from problem

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not any(cleaned.get(name) for name in ("name", "notes", "do_not_call")):
            self.add_error("name", EMPTY_CONTACT)
        return cleaned

    @property
    def written(self) -> ContactFields:
        """Return the fields of a valid form."""
        given = self.cleaned_data
        return ContactFields(given["endpoint"], given["name"], given["notes"], given["do_not_call"])

    @property
    def revision_opened(self) -> int:
        """Return the revision that the edit is based on, 0 for a new contact."""
        return self.cleaned_data["revision"] or 0


class RevisionForm(forms.Form):
    """The revision of the contact that the page showed."""

    revision = forms.IntegerField(min_value=0, max_value=LARGEST_INTEGER)


class ContactsForm(forms.Form):
    """The filters of the list."""

    q = forms.CharField(required=False, max_length=200)
    do_not_call = forms.BooleanField(required=False)


class UploadForm(forms.Form):
    """A file of contacts to import."""

    file = forms.FileField(
        error_messages={
            "required": "Choose a file.",
            "missing": "Choose a file.",
            "empty": "The file is empty.",
        }
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_FILE_BYTES:
            raise forms.ValidationError(f"The file is larger than {MAX_FILE_BYTES // 2**20} MB.")
        return file
