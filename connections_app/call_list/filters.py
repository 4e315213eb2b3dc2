"""The filters of `/calls/`: the query string as a form, and the form as a database query.

The list, exports, tagging of all that match, and links from figures to the calls behind them all go through
`CallsForm` and `filtered`.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache, reduce
from operator import or_
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from connections_app.call_list.paging import Order
from connections_app.calls.contact_lookup import endpoints_named, with_party
from connections_app.models import CallTag, Connection, Direction, Note, Operator, Status, Tag
from connections_app.models.connection import BETWEEN, ENDS, ConnectionQuerySet, ILike
from connections_app.models.countries import COUNTRY_NAMES
from connections_app.models.requests import CLIENT
from connections_app.sift.number_search import search_texts

EARLIEST_YEAR, LATEST_YEAR = 1970, 2200
MAX_SECONDS = 2**31 - 1
DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
DATE_AND_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?", re.ASCII)
# Seconds, or minutes and hours before them: 90, 1:30, 1:02:03.
DURATION = re.compile(r"(?:(?:(\d{1,6}):)?(\d{1,8}):)?(\d{1,10})", re.ASCII)
MIN_CHARACTERS = 3  # the trigram index cannot find shorter texts: every row would be read
MIN_ID_CHARACTERS = 4  # too many ids begin with fewer
COUNTRIES = sorted(COUNTRY_NAMES.items(), key=lambda one: one[1])
# The parameter of a saved query with the country in which it was written: numbers in `q` are read as there.
COUNTRY_PARAMETER = "dials_from"
MAX_CONTACTS = 50  # found by name in `q`: each adds its endpoint to the query


class Sort(models.TextChoices):
    """The order of the list. Calls with unknown talk time are the shortest."""

    NEWEST = "newest", "Newest first"
    OLDEST = "oldest", "Oldest first"
    LONGEST = "longest", "Longest first"
    SHORTEST = "shortest", "Shortest first"


class When(models.TextChoices):
    """Days relative to today in the person's time zone, so that a saved view of them stays correct."""

    TODAY = "today", "Today"
    YESTERDAY = "yesterday", "Yesterday"
    WEEK = "7d", "Last 7 days"
    MONTH = "30d", "Last 30 days"

    def days(self, today: date) -> tuple[date, date | None]:
        """Return the first and the last day; None if the range is open."""
        match self:
            case When.YESTERDAY:
                return today - timedelta(days=1), today - timedelta(days=1)
            case When.WEEK:
                return today - timedelta(days=6), None
            case When.MONTH:
                return today - timedelta(days=29), None
            case _:
                return today, None


class MomentField(forms.CharField):
    """A date, or a date and time, in the person's time zone, as an instant in UTC.

    A date means its first moment, or with `to_its_end` the first moment of the next day. A time that clocks
    show twice means the first, or with `to_its_end` the second, so that a range includes both. A time that
    clocks skip means the instant at which they go forward.
    """

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
        if not EARLIEST_YEAR <= timezone.localtime(moment).year <= LATEST_YEAR:
            raise ValidationError(f"Enter a date between {EARLIEST_YEAR} and {LATEST_YEAR}.")
        return moment


class DurationField(forms.CharField):
    """A duration in seconds, which may be written with minutes and hours; None if empty."""

    def clean(self, value: Any) -> int | None:
        text = super().clean(value)
        if not text:
            return None
        written = DURATION.fullmatch(text)
        if not written:
            raise ValidationError("Enter seconds as 90, or minutes and seconds as 1:30.")
        hours, minutes, seconds = (int(part or 0) for part in written.groups())
        if (duration := hours * 3600 + minutes * 60 + seconds) > MAX_SECONDS:
            raise ValidationError("Enter a shorter time.")
        return duration


class AnyOf(forms.MultipleChoiceField):
    """Any of a few choices; the error names a value that is not one of them."""

    default_error_messages = {"invalid_choice": "There is no “%(value)s” to choose."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def clean(self, value: Any) -> list[str]:
        return list(dict.fromkeys(super().clean(value)))


class FilterChoices:
    """The choices of filters that come from the database, each read once, when it is first needed."""

    def __init__(self) -> None:
        self.operators, self.tags = cache(operators), cache(tags)


class CallsForm(forms.Form):
    """The filters and the order of the list of calls.

    Cleaning makes `until` exclusive, and converts `when` to `since` and `until`.
    """

    q = forms.CharField(
        required=False,
        label="Search",
        max_length=200,
        help_text="Any part of a number, name or client; a call id, or its beginning.",
    )
    status = AnyOf(choices=Status.choices)
    direction = AnyOf(choices=Direction.choices)
    when = forms.ChoiceField(
        required=False,
        choices=When.choices,
        error_messages={"invalid_choice": "There is no range “%(value)s”."},
    )
    since = MomentField(required=False, label="From")
    until = MomentField(required=False, label="To", to_its_end=True)
    operator = AnyOf()
    tag = AnyOf()
    country = AnyOf(choices=lambda: COUNTRIES)
    min_seconds = DurationField(required=False, label="At least", max_length=20)
    max_seconds = DurationField(required=False, label="At most", max_length=20)
    notes = AnyOf(choices=[("yes", "With notes")])
    sort = forms.ChoiceField(required=False, choices=Sort.choices)

    # The endpoints of contacts with the text of `q` in their names.
    named: list[str] = []

    def __init__(
        self, *args: Any, offers: FilterChoices | None = None, country: str = "", **kwargs: Any
    ) -> None:
        """Several forms may share `offers`. Numbers in `q` are read as in the query's country, else `country`
        (`GB`)."""
        super().__init__(*args, **kwargs)
        self.dials_from = str(self.data.get(COUNTRY_PARAMETER) or country or settings.DEFAULT_COUNTRY)
        offers = offers or FilterChoices()
        self.fields["operator"].choices = offers.operators  # type: ignore[attr-defined]
        self.fields["tag"].choices = offers.tags  # type: ignore[attr-defined]

    def clean_q(self) -> str:
        written: str = self.cleaned_data["q"]
        self.named = _named(written)
        if len(self.named) > MAX_CONTACTS:
            raise ValidationError(f"More than {MAX_CONTACTS} contacts are named so. Enter more of the name.")
        return written

    def clean_sort(self) -> Sort:
        return Sort(self.cleaned_data["sort"] or Sort.NEWEST)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if when := cleaned.get("when"):
            if since or until:
                self.add_error("when", "Choose days from this list, or dates; not both.")
            cleaned["since"], cleaned["until"] = _moments(When(when))
        elif since and until and since >= until:
            self.add_error("until", "This is not after the start of the range.")
        least, most = cleaned.get("min_seconds"), cleaned.get("max_seconds")
        if least is not None and most is not None and least > most:
            self.add_error("max_seconds", "This is shorter than the least.")
        return cleaned

    @property
    def problems(self) -> str:
        """Return the errors as sentences; empty for a valid form."""
        return " ".join(str(error) for errors in self.errors.values() for error in errors)

    @property
    def is_empty(self) -> bool:
        """Return True if no filter is set; the order is not a filter."""
        return all(value in (None, "", []) for name, value in self.cleaned_data.items() if name != "sort")


def filtered(form: CallsForm) -> ConnectionQuerySet:
    """Return the calls that match a valid form, unordered."""
    cleaned = form.cleaned_data
    calls = Connection.objects.all()
    if cleaned["q"]:
        calls = calls.filter(_with_text(cleaned["q"], form.dials_from, form.named))
    if cleaned["status"]:
        calls = calls.filter(status__in=cleaned["status"])
    if cleaned["direction"]:
        calls = calls.filter(direction__in=cleaned["direction"])
    if cleaned["since"]:
        calls = calls.filter(at__gte=cleaned["since"])
    if cleaned["until"]:
        calls = calls.filter(at__lt=cleaned["until"])
    if cleaned["operator"]:
        people = Operator.objects.filter(username__in=cleaned["operator"]).values_list("pk", flat=True)
        calls = calls.filter(operator_id__in=list(people))
    if cleaned["tag"]:
        calls = _tagged(calls, cleaned["tag"])
    if cleaned["country"]:
        calls = calls.filter(country__in=cleaned["country"])
    if cleaned["min_seconds"] is not None:
        calls = calls.talked(at_least=cleaned["min_seconds"])
    if cleaned["max_seconds"] is not None:
        calls = calls.talked(at_most=cleaned["max_seconds"])
    if cleaned["notes"]:
        calls = calls.filter(pk__in=Note.objects.filter(removed_at=None).values("connection_id"))
    return calls


def order_of(form: CallsForm) -> Order:
    """Return the order of the list that a valid form sets."""
    match form.cleaned_data["sort"]:
        case Sort.LONGEST | Sort.SHORTEST as sort:
            return Order.by_talk(descending=sort == Sort.LONGEST)
        case sort:
            return Order.by_time(descending=sort == Sort.NEWEST, by_tag=len(form.cleaned_data["tag"]) == 1)


def is_short(text: str) -> bool:
    """Return True if `text` is only matched as a whole name: it has fewer than three letters and digits."""
    return sum(map(str.isalnum, text)) < MIN_CHARACTERS


def calls_with(written: str, country: str) -> Q:
    """Match calls with this text in a number or client, or as (the beginning of) their id in either case.

    A text that is too short must be a whole client. Numbers are read as people write them in `country`
    (`GB`).
    """
    texts, name = search_texts(written, country), written.strip()
    if is_short(texts[0]):
        texts = [f"{BETWEEN}{CLIENT}{texts[0]}{BETWEEN}"]
    lookup = "connection_id__startswith" if len(name) >= MIN_ID_CHARACTERS else "connection_id"
    with_id = (Q((lookup, one)) for one in {name: 0, name.lower(): 0, name.upper(): 0})
    return reduce(or_, [*(Q(ILike(ENDS, text)) for text in texts), *with_id])


def _with_text(written: str, country: str, named: list[str]) -> Q:
    """Match the calls of `calls_with`, and the calls with an endpoint in `named`."""
    calls = calls_with(written, country)
    for endpoint in named:
        calls |= with_party(endpoint)
    return calls


def _named(written: str) -> list[str]:
    text = written.strip()
    return endpoints_named(text, whole=is_short(text), limit=MAX_CONTACTS + 1) if text else []


def _tagged(calls: ConnectionQuerySet, names: list[str]) -> ConnectionQuerySet:
    """Filter by tags: for one tag with a join, whose index gives the order; for several, each call once."""
    tags = list(Tag.objects.filter(name__in=names).values_list("pk", flat=True))
    if len(names) == 1:
        return calls.filter(call_tags__tag__in=tags)
    return calls.filter(pk__in=CallTag.objects.filter(tag__in=tags).values("connection_id"))


def operators() -> list[tuple[str, str]]:
    """Return all operators, active or not, as choices (username, name), by name."""
    people = Operator.objects.only("username", "first_name", "last_name")
    names = [(one.username, one.shown_name) for one in people]
    return sorted(names, key=lambda one: one[1].lower())


def tags() -> list[tuple[str, str]]:
    """Return all tags as choices, by name."""
    return [(name, name) for name in Tag.objects.values_list("name", flat=True)]


def _moments(when: When) -> tuple[datetime, datetime | None]:
    first, last = when.days(timezone.localdate())
    return _moment(first.isoformat(), False), _moment(last.isoformat(), True) if last else None


def _moment(text: str, to_its_end: bool) -> datetime:
    zone = timezone.get_current_timezone()
    if DATE.fullmatch(text):
        day = date.fromisoformat(text) + timedelta(days=to_its_end)
        return _instant(datetime.combine(day, time()), zone)
    if not DATE_AND_TIME.fullmatch(text):
        raise ValueError(text)
    return _instant(datetime.fromisoformat(text), zone, second=to_its_end)


def _instant(shown: datetime, zone: tzinfo, *, second: bool = False) -> datetime:
    """Return the instant in UTC at which clocks in `zone` show `shown`: the first, or the `second` of two.

    If they skip it, return the instant at which they go forward.
    """
    early, late = (shown.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if early <= late:
        return late if second else early
    return _change_of_clocks(late, early, zone)


def _change_of_clocks(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """Return the second at which the offset of `zone` changes between two instants."""
    offset = before.astimezone(zone).utcoffset()
    while (between := (after - before) // timedelta(seconds=2)) > 0:
        middle = before + timedelta(seconds=between)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after
