"""The forms that place a call and push a routine."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest

from connections_app.access.permissions import may_steer_any
from connections_app.audit.log import address_of
from connections_app.calls import dialling, scripts
from connections_app.calls.dialling import Confirmed, Findings, Objection, Rule
from connections_app.calls.scripts import NotUsable, ScriptRequest, placeholder_field
from connections_app.control.placing import Order
from connections_app.control.requests import SiftRequest
from connections_app.models import Contact, Operator, Routine
from connections_app.models.characters import check_is_seen
from connections_app.models.requests import CLIENT
from connections_app.sift.numbers import ImpossibleNumber, e164
from connections_app.sift.placeholders import NOT_TEXT, Kind, Placeholder
from connections_app.sift.routine import LARGEST_BYTES

MAX_CLIENT_CHARACTERS = 255
FILL_PREFIX = placeholder_field("")
CONFIRM_MESSAGES = {Rule.MARKED: "Tick this to call although marked.", Rule.BUSY: "Tick this to call again."}


@dataclass(frozen=True, slots=True)
class Fill:
    """One placeholder to fill in: its field's name, label and kind, the typed value, and its errors."""

    field: str
    label: str
    kind: Kind
    value: str
    errors: list[str]


class Ticks(forms.Field):
    """The ticked values of several checkboxes with one name: numbers and clients."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> tuple[str, ...]:
        given = value if isinstance(value, list | tuple) else [value] if value else []
        return tuple(str(one).replace("\x00", "").strip() for one in given)


class RoutineForm(forms.Form):
    """A saved routine or a list of commands, the values of its placeholders, and the request's id.

    A tick confirms certain numbers and clients by their names, so that it confirms no others.
    """

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
    although_marked = Ticks(required=False)
    although_busy = Ticks(required=False)
    needs_routine = True

    def __init__(self, data: Mapping[str, Any] | None, operator: Operator, **options: Any) -> None:
        super().__init__(data, **options)
        self.operator = operator
        self.fills: list[Fill] = []
        self.script: ScriptRequest | None = None
        self.findings = Findings()

    def sift_request(self, request: HttpRequest) -> SiftRequest | None:
        """Return the submitted request, valid or not; None if its id is not a UUID."""
        self.full_clean()
        request_id = self.cleaned_data.get("request_id")
        if not isinstance(request_id, UUID):
            return None
        return SiftRequest(
            self.operator, request_id, contents(self.data), address_of(request), self.confirmed
        )

    @property
    def confirmed(self) -> Confirmed:
        """Return the endpoints that the person confirmed."""
        given = self.cleaned_data
        return Confirmed(given.get("although_marked", ()), given.get("although_busy", ()))

    @property
    def busy(self) -> list[Objection]:
        """Return the calls in progress with the endpoints that this would call, ordered by endpoint."""
        found = (one for one in self.findings.objections if one.rule == Rule.BUSY)
        return sorted(found, key=lambda one: one.endpoint)

    @property
    def marked_ones(self) -> list[Objection]:
        """Return the endpoints that this would call although they are marked “do not call”."""
        return [one for one in self.findings.objections if one.rule == Rule.MARKED]

    @property
    def endpoint(self) -> str:
        """Return the endpoint that a form to place a call would call; empty for other forms."""
        return ""

    def refuse(self, objections: Sequence[Objection]) -> None:
        """Add the objections that were found only when the request was saved, for the person to confirm."""
        known = {(one.rule, one.endpoint, one.url) for one in self.findings.objections}
        new = [one for one in objections if (one.rule, one.endpoint, one.url) not in known]
        self.findings = replace(self.findings, objections=[*self.findings.objections, *new])
        self._add_objections(objections)

    def routines(self) -> list[Routine]:
        """Return the saved routines that the person may use, by name."""
        by_supervisor = may_steer_any(self.operator)
        return list(Routine.objects.usable(by_supervisor=by_supervisor).order_by("name"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        routine, commands = cleaned.get("routine"), cleaned.get("commands")
        if routine and commands:
            self.add_error("commands", "Choose a routine, or write commands, not both.")
        elif (routine or commands) and not {"routine", "commands"} & self.errors.keys():
            self._choose_script(routine, commands or "", cleaned.get("overrule", False))
        elif self.needs_routine and not {"routine", "commands"} & self.errors.keys():
            self.add_error("routine", "Choose a routine, or write commands.")
        self._choose_callee(cleaned)
        self._check_dialling()
        return cleaned

    def _choose_callee(self, cleaned: Mapping[str, Any]) -> None:
        """Check the callee, in a form that has one."""

    def _check_dialling(self) -> None:
        """Look up each number and client that would be dialled, and add the objections to the errors."""
        dialled = self.script.dialled if self.script else ()
        endpoints = list(dict.fromkeys([*filter(None, [self.endpoint]), *dialled]))
        self.findings = dialling.look_up(endpoints, self.confirmed, self.cleaned_data.get("request_id"))
        self._add_objections(self.findings.unconfirmed)

    def _add_objections(self, objections: Iterable[Objection]) -> None:
        for rule in dict.fromkeys(one.rule for one in objections):
            self.add_error(rule.value, CONFIRM_MESSAGES[rule])

    def _choose_script(self, routine: int | None, commands: str, overrule: bool) -> None:
        values = {
            name.removeprefix(FILL_PREFIX): str(value)
            for name, value in self.data.items()
            if name.startswith(FILL_PREFIX)
        }
        try:
            if routine:
                self.script = scripts.saved_routine(routine, values, self.operator)
            else:
                self.script = scripts.given_commands(commands, values, self.operator, overrule=overrule)
        except NotUsable as problem:
            self._fill(problem.placeholders, values, problem.problems)
            for field, words in problem.problems.items():
                self.add_error(field if field in self.fields else None, words)
        else:
            self._fill(self.script.placeholders, values, {})

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
    """A number or a client to call, with or without a routine."""

    phone_number = forms.CharField(required=False, max_length=100)
    client_name = forms.CharField(required=False, max_length=MAX_CLIENT_CHARACTERS + len(CLIENT))
    needs_routine = False

    def clean_phone_number(self) -> str:
        typed = str(self.cleaned_data["phone_number"])
        if not typed:
            return ""
        try:
            return e164(typed, self.operator.dials_from)
        except ImpossibleNumber as problem:
            raise forms.ValidationError(f"“{typed}” cannot be called: {problem}.") from problem

    def clean_client_name(self) -> str:
        name = str(self.cleaned_data["client_name"]).strip()
        if name.lower().startswith(CLIENT):
            name = name[len(CLIENT) :].strip()
        if NOT_TEXT.search(name) or "\n" in name:
            raise forms.ValidationError("A client's name is one line of text.")
        check_is_seen(name)
        if len(name) > MAX_CLIENT_CHARACTERS:
            raise forms.ValidationError(f"A client's name has at most {MAX_CLIENT_CHARACTERS} characters.")
        return name

    def _choose_callee(self, cleaned: Mapping[str, Any]) -> None:
        if not {"phone_number", "client_name"} & self.errors.keys():
            given = [name for name in ("phone_number", "client_name") if cleaned.get(name)]
            if not given:
                self.add_error("phone_number", "Whom do you want to call?")
            elif len(given) > 1:
                self.add_error("client_name", "Give a number or a client, not both.")

    @property
    def endpoint(self) -> str:
        """Return the endpoint that the form would call, as Sift writes it; empty if it is not valid."""
        cleaned = getattr(self, "cleaned_data", {}) if self.is_bound else {}
        number, client = cleaned.get("phone_number"), cleaned.get("client_name")
        return number or (f"{CLIENT}{client}" if client else "")

    @property
    def contact(self) -> Contact | None:
        """Return the contact of the callee, if there is one."""
        return self.findings.contacts.get(self.endpoint)

    @property
    def marked(self) -> Contact | None:
        """Return the contact of the callee if it is marked “do not call”, else None."""
        return self.contact if self.contact and self.contact.do_not_call else None

    @property
    def order(self) -> Order:
        """Return the call to place, from a valid form."""
        cleaned = self.cleaned_data
        return Order(cleaned["phone_number"], cleaned["client_name"], self.script)


def contents(data: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields of `data` that define the request, as submitted.

    Confirmations are left out: with another tick it is the same request, and a new one must be confirmed
    again.
    """
    names = ("phone_number", "client_name", "routine", "commands", "overrule")
    return {
        name: str(value).strip()
        for name, value in data.items()
        if (name in names or name.startswith(FILL_PREFIX)) and str(value).strip()
    }
