"""Inbound rules, which choose the routine that answers an incoming call."""

import re
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from connections_app.calls import dialling
from connections_app.models import InboundRule, Operator, Routine
from connections_app.models.inbound_rule import DAYS
from connections_app.models.requests import CLIENT
from connections_app.people.forms import zones
from connections_app.routines.library import dialled_by, placeholders_of
from connections_app.sift.numbers import ImpossibleNumber, e164

DAY_CHOICES = [(str(number), name) for number, name in enumerate(DAYS, start=1)]
NUMBER_BEGINS = re.compile(r"\+[1-9][0-9]{0,14}", re.ASCII)
WRITTEN_AS_NUMBER = re.compile(r"[+\d\s()./-]+", re.ASCII)
LONGEST_NAME = 255


def endpoint_pattern(typed: str) -> str:
    """Return a number in E.164, a client, or the beginning of either with `*`. Raises `ValidationError`."""
    text = typed.strip()
    if text in ("", CLIENT):
        return ""
    if "*" in text[:-1] or text == "*":
        raise ValidationError("A * stands at the end, after the beginning of a number or a name.")
    if WRITTEN_AS_NUMBER.fullmatch(text.removesuffix("*")):
        return _number_pattern(text)
    if any(letter.isspace() or not letter.isprintable() for letter in text):
        raise ValidationError("A client's name has no spaces, such as webrtc:ana.")
    return text


def _number_pattern(text: str) -> str:
    if not text.startswith("+"):
        raise ValidationError("Write a number in full, with + and the country's code, such as +14155550100.")
    if text.endswith("*"):
        begins = re.sub(r"[^+\d]", "", text)
        if not NUMBER_BEGINS.fullmatch(begins):
            raise ValidationError("Write the beginning of a number, such as +4930*.")
        return f"{begins}*"
    try:
        return e164(text, "")
    except ImpossibleNumber as error:
        raise ValidationError(f"This is not a phone number: {error}.") from error


class RoutineChoice(forms.ModelForm):  # type: ignore[type-arg]
    """The routine of a rule, which must answer without an operator."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        published = Routine.objects.current().exclude(published=None).order_by("name")
        self.fields["routine"].queryset = published  # type: ignore[attr-defined]

    def clean_routine(self) -> Routine:
        """Lock and check the routine, so that nobody archives it before the rule is saved."""
        chosen: Routine = self.cleaned_data["routine"]
        routine = Routine.objects.select_for_update().select_related(None).get(pk=chosen.pk)
        if routine.archived_at:
            raise ValidationError("This routine is archived.")
        if placeholders := placeholders_of(chosen):
            names = ", ".join(placeholder.name for placeholder in placeholders)
            raise ValidationError(f"Nobody is there to fill in {names}: choose one without placeholders.")
        if marked := dialling.marked(dialled_by(chosen)):
            words = " ".join(one.words for one in marked)
            raise ValidationError(f"Nobody is there to be asked. Choose one that does not dial it: {words}")
        return chosen


class DefaultRuleForm(RoutineChoice):
    """The default rule, of which only the routine can be changed."""

    class Meta:
        model = InboundRule
        fields = ("routine",)


class InboundRuleForm(RoutineChoice):
    """Any other rule, with its conditions."""

    days = forms.MultipleChoiceField(
        choices=DAY_CHOICES,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="None ticked: every day.",
    )
    time_zone = forms.ChoiceField(help_text="Days and times of day are this zone's.")

    class Meta:
        model = InboundRule
        fields = (
            "name",
            "rank",
            "is_active",
            "to_endpoint",
            "from_endpoint",
            "days",
            "opens",
            "closes",
            "time_zone",
            "routine",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["days"] = list(self.initial.get("days", ""))
        offered = {*zones(), self.instance.time_zone}
        self.fields["time_zone"].choices = [(zone, zone) for zone in sorted(offered)]  # type: ignore[attr-defined]

    def clean_to_endpoint(self) -> str:
        """Return the pattern of the called endpoint."""
        return endpoint_pattern(self.cleaned_data["to_endpoint"])

    def clean_from_endpoint(self) -> str:
        """Return the pattern of the calling endpoint."""
        return endpoint_pattern(self.cleaned_data["from_endpoint"])

    def clean_days(self) -> str:
        """Return the digits of the ticked days, or an empty text for every day."""
        ticked = sorted(self.cleaned_data["days"])
        return "" if len(ticked) == len(DAYS) else "".join(ticked)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        opens, closes = cleaned.get("opens"), cleaned.get("closes")
        if opens is not None and opens == closes:
            self.add_error("closes", "This is when it begins. For all day, leave both empty.")
        return cleaned


def conditions(rule: InboundRule) -> str:
    """Return when a rule matches: `to +14155550100, Monday, Tuesday, 09:00 to 17:00 in Europe/Berlin`."""
    if rule.is_default:
        return "every call that no other rule matches"
    parts = []
    if rule.to_endpoint:
        parts.append(f"to {rule.to_endpoint}")
    if rule.from_endpoint:
        parts.append(f"from {rule.from_endpoint}")
    if rule.days:
        parts.append(_days(rule.days))
    if rule.opens and rule.closes:
        next_day = " the next day" if rule.closes < rule.opens else ""
        parts.append(f"{rule.opens:%H:%M} to {rule.closes:%H:%M}{next_day}")
    zone = f" in {rule.time_zone}" if rule.days or rule.opens else ""
    return f"{', '.join(parts)}{zone}" if parts else "every call"


def _days(digits: str) -> str:
    numbers = [int(digit) for digit in digits]
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{DAYS[numbers[0] - 1]} to {DAYS[numbers[-1] - 1]}"
    return ", ".join(DAYS[number - 1] for number in numbers)


@admin.register(InboundRule)
class InboundRuleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "tried", "matches", "routine", "is_active")
    list_select_related = ("routine",)
    sortable_by = ()
    actions = None

    @admin.display(description="Rank")
    def tried(self, rule: InboundRule) -> str:
        return "last" if rule.is_default else str(rule.rank)

    @admin.display(description="When")
    def matches(self, rule: InboundRule) -> str:
        return conditions(rule)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = DefaultRuleForm if _is_default(obj) else InboundRuleForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("name", "matches", "routine") if _is_default(obj) else InboundRuleForm.Meta.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("name", "matches") if _is_default(obj) else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        own = request.user.time_zone if isinstance(request.user, Operator) else "UTC"
        return {"time_zone": own} | super().get_changeform_initial_data(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not _is_default(obj) and super().has_delete_permission(request, obj)


def _is_default(rule: InboundRule | None) -> bool:
    return rule is not None and rule.is_default
