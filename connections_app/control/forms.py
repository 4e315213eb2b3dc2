"""The forms that place a call and push a routine."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest

from connections_app import scripts
from connections_app.control.asking import Asked
from connections_app.control.placing import Order
from connections_app.models import Contact, Operator, Routine
from connections_app.models.sending import CLIENT
from connections_app.phonebook import contact_of
from connections_app.recording import address_of
from connections_app.scripts import NotUsable, Wanted, placeholder_field
from connections_app.sift.numbers import ImpossibleNumber, e164
from connections_app.sift.routine import LARGEST_BYTES, NOT_TEXT, Kind, Placeholder

LONGEST_CLIENT = 255
FILL = placeholder_field("")


@dataclass(frozen=True, slots=True)
class Fill:
    """One placeholder to fill in: its field's name, label and kind, what was typed, and what is wrong."""

    field: str
    label: str
    kind: Kind
    value: str
    errors: list[str]


class RoutineForm(forms.Form):
    """A saved routine or a list of commands, what fills its placeholders, and the request's id."""

    request_id = forms.UUIDField(
        error_messages={"required": "The request has no id.", "invalid": "The request's id is not a UUID."}
    )
    routine = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=2**31 - 1,
        error_messages={"invalid": "There is no such routine."},
    )
    commands = forms.CharField(
        required=False,
        max_length=LARGEST_BYTES,
        error_messages={"max_length": f"The JSON is larger than {LARGEST_BYTES // 1024} KB."},
    )
    overrule = forms.BooleanField(required=False)
    needs_routine = True

    def __init__(self, data: Mapping[str, Any] | None, operator: Operator, **options: Any) -> None:
        super().__init__(data, **options)
        self.operator = operator
        self.fills: list[Fill] = []
        self.wanted: Wanted | None = None

    def asked(self, request: HttpRequest) -> Asked | None:
        """Who asks for what under which id; None where the id is not one."""
        self.full_clean()
        request_id = self.cleaned_data.get("request_id")
        if not isinstance(request_id, UUID):
            return None
        return Asked(self.operator, request_id, contents(self.data), address_of(request))

    def routines(self) -> list[Routine]:
        """The saved routines that the person may use, by name."""
        by_supervisor = self.operator.has_perm("connections_app.steer_any_call")
        return list(Routine.objects.usable(by_supervisor=by_supervisor).order_by("name"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        routine, commands = cleaned.get("routine"), cleaned.get("commands")
        if routine and commands:
            self.add_error("commands", "Choose a routine, or write commands, not both.")
        elif (routine or commands) and not {"routine", "commands"} & self.errors.keys():
            self._want(routine, commands or "", cleaned.get("overrule", False))
        elif self.needs_routine and not {"routine", "commands"} & self.errors.keys():
            self.add_error("routine", "Choose a routine, or write commands.")
        return cleaned

    def _want(self, routine: int | None, commands: str, overrule: bool) -> None:
        values = {
            name.removeprefix(FILL): str(value) for name, value in self.data.items() if name.startswith(FILL)
        }
        try:
            if routine:
                self.wanted = scripts.want_saved(routine, values, self.operator)
            else:
                self.wanted = scripts.want_commands(commands, values, self.operator, overrule=overrule)
        except NotUsable as problem:
            self._fill(problem.placeholders, values, problem.problems)
            for field, words in problem.problems.items():
                self.add_error(field if field in self.fields else None, words)
        else:
            self._fill(self.wanted.placeholders, values, {})

    def _fill(
        self,
        placeholders: tuple[Placeholder, ...],
        values: Mapping[str, str],
        problems: Mapping[str, list[str]],
    ) -> None:
        self.fills = [
            Fill(
                placeholder_field(one.name),
                one.label,
                one.kind,
                values.get(one.name, ""),
                problems.get(placeholder_field(one.name), []),
            )
            for one in placeholders
        ]


class PlaceForm(RoutineForm):
    """Whom to call, with which routine, if any."""

    phone_number = forms.CharField(required=False, max_length=100)
    client_name = forms.CharField(required=False, max_length=LONGEST_CLIENT + len(CLIENT))
    # Whom to call although a contact asks not to: the endpoint itself, so that the tick is for nobody else.
    although_marked = forms.CharField(required=False, max_length=300)
    needs_routine = False
    # Of whom is to be called, once the form was read.
    contact: Contact | None = None

    def clean_phone_number(self) -> str:
        typed = str(self.cleaned_data["phone_number"])
        if not typed:
            return ""
        try:
            return e164(typed, self.operator.dials_from)
        except ImpossibleNumber as problem:
            raise forms.ValidationError(f"“{typed}” cannot be called: {problem}.") from problem

    def clean_client_name(self) -> str:
        name = str(self.cleaned_data["client_name"]).removeprefix(CLIENT).strip()
        if NOT_TEXT.search(name) or "\n" in name:
            raise forms.ValidationError("A client's name is one line of text.")
        if len(name) > LONGEST_CLIENT:
            raise forms.ValidationError(f"A client's name has at most {LONGEST_CLIENT} characters.")
        return name

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not {"phone_number", "client_name"} & self.errors.keys():
            given = [name for name in ("phone_number", "client_name") if cleaned.get(name)]
            if not given:
                self.add_error("phone_number", "Whom do you want to call?")
            elif len(given) > 1:
                self.add_error("client_name", "Give a number or a client, not both.")
            else:
                self._heed_mark(cleaned)
        return cleaned

    @property
    def endpoint(self) -> str:
        """Whom the form would call, as Sift writes it, once that can be told."""
        cleaned = getattr(self, "cleaned_data", {}) if self.is_bound else {}
        number, client = cleaned.get("phone_number"), cleaned.get("client_name")
        return number or (f"{CLIENT}{client}" if client else "")

    @property
    def marked(self) -> Contact | None:
        """The contact of whom is to be called, where it is marked “do not call”."""
        return self.contact if self.contact and self.contact.do_not_call else None

    def _heed_mark(self, cleaned: Mapping[str, Any]) -> None:
        """Ask for a tick where the contact of whom is called is marked “do not call”."""
        self.contact = contact_of(self.endpoint)
        if self.marked and cleaned.get("although_marked", "").lower() != self.endpoint.lower():
            self.add_error("although_marked", "Tick this to call although marked.")

    @property
    def order(self) -> Order:
        """What is to be placed, once the form is valid."""
        cleaned = self.cleaned_data
        return Order(cleaned["phone_number"], cleaned["client_name"], self.wanted)


def contents(data: Mapping[str, Any]) -> dict[str, str]:
    """What was asked for: every field that says something of it, as it was sent in."""
    names = ("phone_number", "client_name", "routine", "commands", "overrule", "although_marked")
    return {
        name: str(value).strip()
        for name, value in data.items()
        if (name in names or name.startswith(FILL)) and str(value).strip()
    }
