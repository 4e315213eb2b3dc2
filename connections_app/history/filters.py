"""What `/calls/` can be asked: the query string as a form, and the form as a query. Written here once."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone

from connections_app.models import Connection, Direction, Status
from connections_app.models.connection import ConnectionQuerySet

EARLIEST, LATEST = 1970, 2200
DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
DATE_AND_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?", re.ASCII)
# A number as people write it: digits and what stands between them.
WRITTEN_NUMBER = re.compile(r"\+?[\d\s()./-]*\d[\d\s()./-]*", re.ASCII)


class MomentField(forms.CharField):
    """A date, or a date and time, in the person's zone. A date means its first moment, or `to_its_end`."""

    def __init__(self, *, to_its_end: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.to_its_end = to_its_end

    def clean(self, value: Any) -> datetime | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            moment = _moment(text, self.to_its_end)
        except (ValueError, OverflowError):
            raise ValidationError("Enter a date as 2026-05-31, or with a time as 2026-05-31T14:30.") from None
        if not EARLIEST <= moment.year <= LATEST:
            raise ValidationError(f"Enter a date between {EARLIEST} and {LATEST}.")
        return moment


class CallsForm(forms.Form):
    """The filters over the list of calls; `until` is exclusive once cleaned."""

    q = forms.CharField(
        required=False,
        label="Search",
        max_length=200,
        help_text="Any part of a number, name, client or call id.",
    )
    status = forms.MultipleChoiceField(required=False, choices=Status.choices)
    direction = forms.MultipleChoiceField(required=False, choices=Direction.choices)
    since = MomentField(required=False, label="From")
    until = MomentField(required=False, label="To", to_its_end=True)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since >= until:
            self.add_error("until", "This is before the start of the range.")
        return cleaned

    @property
    def is_empty(self) -> bool:
        """Whether nothing is filtered."""
        return not any(self.cleaned_data.values())


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter that is set, and the address of the list without it."""

    label: str
    remove_url: str


@dataclass(frozen=True, slots=True)
class QuickRange:
    label: str
    url: str
    active: bool


def filtered(form: CallsForm) -> ConnectionQuerySet:
    """The calls that a valid form asks for, in no order yet."""
    asked = form.cleaned_data
    calls = Connection.objects.all()
    if asked["q"]:
        calls = calls.filter(searched__ilike=search_text(asked["q"]))
    if asked["status"]:
        calls = calls.filter(status__in=asked["status"])
    if asked["direction"]:
        calls = calls.filter(direction__in=asked["direction"])
    if asked["since"]:
        calls = calls.filter(at__gte=asked["since"])
    if asked["until"]:
        calls = calls.filter(at__lt=asked["until"])
    return calls


def search_text(written: str) -> str:
    """`written` as it stands in the searched column: numbers without what people put between digits."""
    text = written.strip()
    if WRITTEN_NUMBER.fullmatch(text):
        return re.sub(r"[\s()./-]", "", text)
    return text


def chips(form: CallsForm, query: QueryDict) -> list[Chip]:
    """One chip for each value that is set."""
    labels: list[tuple[str, str, str]] = []
    for name in form.fields:
        for value in dict.fromkeys(query.getlist(name)):
            if value.strip():
                labels.append((name, value, _label(name, value)))
    return [Chip(label, _without(query, name, value)) for name, value, label in labels]


def quick_ranges(query: QueryDict, now: datetime) -> list[QuickRange]:
    """Today, yesterday, 7 and 30 days, and any time, in the person's zone."""
    today = timezone.localtime(now).date()
    ranges: Iterable[tuple[str, date | None, date | None]] = (
        ("Today", today, None),
        ("Yesterday", today - timedelta(days=1), today - timedelta(days=1)),
        ("7 days", today - timedelta(days=6), None),
        ("30 days", today - timedelta(days=29), None),
        ("Any time", None, None),
    )
    current = (query.get("since", ""), query.get("until", ""))
    return [
        QuickRange(label, _with(query, wanted := (_iso(since), _iso(until))), current == wanted)
        for label, since, until in ranges
    ]


def _moment(text: str, to_its_end: bool) -> datetime:
    zone = timezone.get_current_timezone()
    if DATE.fullmatch(text):
        day = date.fromisoformat(text) + timedelta(days=to_its_end)
        return datetime.combine(day, time(), zone)
    if not DATE_AND_TIME.fullmatch(text):
        raise ValueError(text)
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def _label(name: str, value: str) -> str:
    match name:
        case "q":
            return f"contains {value.strip()}"
        case "status":
            return str(dict(Status.choices).get(value, value))
        case "direction":
            return str(dict(Direction.choices).get(value, value))
        case "since":
            return f"from {value.replace('T', ' ')}"
        case _:
            return f"to {value.replace('T', ' ')}"


def _without(query: QueryDict, name: str, value: str) -> str:
    left = _filters_of(query)
    return _address((n, v) for n, v in left if (n, v) != (name, value))


def _with(query: QueryDict, wanted: tuple[str, str]) -> str:
    kept = [(n, v) for n, v in _filters_of(query) if n not in ("since", "until")]
    return _address(kept + [pair for pair in zip(("since", "until"), wanted, strict=True) if pair[1]])


def _filters_of(query: QueryDict) -> list[tuple[str, str]]:
    return [(name, value) for name in CallsForm.base_fields for value in query.getlist(name) if value]


def _address(pairs: Iterable[tuple[str, str]]) -> str:
    return f"?{urlencode(list(pairs))}"


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""
