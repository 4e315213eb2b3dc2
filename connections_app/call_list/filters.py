"""What `/calls/` can be asked: the query string as a form, and the form as a query. Written here once.

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

EARLIEST, LATEST = 1970, 2200
LONGEST = 2**31 - 1  # seconds
DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
DATE_AND_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?", re.ASCII)
# Seconds, or minutes and hours before them: 90, 1:30, 1:02:03.
LENGTH = re.compile(r"(?:(?:(\d{1,6}):)?(\d{1,8}):)?(\d{1,10})", re.ASCII)
# The index holds pieces of three characters; what is shorter would be looked for in every row.
LEAST_CHARACTERS = 3
LEAST_OF_AN_ID = 4  # characters; fewer are the beginning of too many ids
COUNTRIES = sorted(COUNTRY_NAMES.items(), key=lambda one: one[1])
# Names the country that a query was written in, where it is kept for later: numbers in `q` are read as there.
COUNTRY = "dials_from"
# So many contacts may have a text in their names; their numbers are then looked for.
MOST_CONTACTS = 50


class Sort(models.TextChoices):
    """In what order the list is. Calls whose talk time is not known are the shortest."""

    NEWEST = "newest", "Newest first"
    OLDEST = "oldest", "Oldest first"
    LONGEST = "longest", "Longest first"
    SHORTEST = "shortest", "Shortest first"


class When(models.TextChoices):
    """Days told from today in the person's zone, so that a saved view of them stays true."""

    TODAY = "today", "Today"
    YESTERDAY = "yesterday", "Yesterday"
    WEEK = "7d", "Last 7 days"
    MONTH = "30d", "Last 30 days"

    def days(self, today: date) -> tuple[date, date | None]:
        """The first day and the last, None where it goes on."""
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
    """A date, or a date and time, in the person's zone, as an instant in UTC.

    A date means its first moment, or `to_its_end` the first of the next. Of a time that clocks show twice it
    is the first, or `to_its_end` the second, so that a range holds both. A time that clocks leave out is the
    instant at which they go forward.
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
        if not EARLIEST <= timezone.localtime(moment).year <= LATEST:
            raise ValidationError(f"Enter a date between {EARLIEST} and {LATEST}.")
        return moment


class LengthField(forms.CharField):
    """A length of time in seconds, which may be written with minutes and hours; None for nothing."""

    def clean(self, value: Any) -> int | None:
        text = super().clean(value)
        if not text:
            return None
        written = LENGTH.fullmatch(text)
        if not written:
            raise ValidationError("Enter seconds as 90, or minutes and seconds as 1:30.")
        hours, minutes, seconds = (int(part or 0) for part in written.groups())
        if (length := hours * 3600 + minutes * 60 + seconds) > LONGEST:
            raise ValidationError("Enter a shorter time.")
        return length


class AnyOf(forms.MultipleChoiceField):
    """Some of a few values; one that there is not is named."""

    default_error_messages = {"invalid_choice": "There is no “%(value)s” to choose."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def clean(self, value: Any) -> list[str]:
        return list(dict.fromkeys(super().clean(value)))


class Offers:
    """What people make and filters name, each read when it is first asked for, and once."""

    def __init__(self) -> None:
        self.operators, self.tags = cache(operators), cache(tags)


class CallsForm(forms.Form):
    """The filters over the list of calls, and its order. Once cleaned, `until` is exclusive, and `when` has
    become `since` and `until`."""

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
    min_seconds = LengthField(required=False, label="At least", max_length=20)
    max_seconds = LengthField(required=False, label="At most", max_length=20)
    notes = AnyOf(choices=[("yes", "With notes")])
    sort = forms.ChoiceField(required=False, choices=Sort.choices)

    # The endpoints of contacts with the text in their names.
    named: list[str] = []

    def __init__(self, *args: Any, offers: Offers | None = None, country: str = "", **kwargs: Any) -> None:
        """Several forms may share their `offers`. Numbers in `q` are read as in `country` (`GB`), or as in
        the one that the query names."""
        super().__init__(*args, **kwargs)
        self.dials_from = str(self.data.get(COUNTRY) or country or settings.DEFAULT_COUNTRY)
        offers = offers or Offers()
        self.fields["operator"].choices = offers.operators  # type: ignore[attr-defined]
        self.fields["tag"].choices = offers.tags  # type: ignore[attr-defined]

    def clean_q(self) -> str:
        written: str = self.cleaned_data["q"]
        self.named = _named(written)
        if len(self.named) > MOST_CONTACTS:
            raise ValidationError(f"More than {MOST_CONTACTS} contacts are named so. Enter more of the name.")
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
        """What is wrong with it, in sentences; empty for a valid form."""
        return " ".join(str(error) for errors in self.errors.values() for error in errors)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is filtered; the order is no filter."""
        return all(value in (None, "", []) for name, value in self.cleaned_data.items() if name != "sort")


def filtered(form: CallsForm) -> ConnectionQuerySet:
    """The calls that a valid form asks for, in no order yet."""
    asked = form.cleaned_data
    calls = Connection.objects.all()
    if asked["q"]:
        calls = calls.filter(_with_text(asked["q"], form.dials_from, form.named))
    if asked["status"]:
        calls = calls.filter(status__in=asked["status"])
    if asked["direction"]:
        calls = calls.filter(direction__in=asked["direction"])
    if asked["since"]:
        calls = calls.filter(at__gte=asked["since"])
    if asked["until"]:
        calls = calls.filter(at__lt=asked["until"])
    if asked["operator"]:
        people = Operator.objects.filter(username__in=asked["operator"]).values_list("pk", flat=True)
        calls = calls.filter(operator_id__in=list(people))
    if asked["tag"]:
        calls = _tagged(calls, asked["tag"])
    if asked["country"]:
        calls = calls.filter(country__in=asked["country"])
    if asked["min_seconds"] is not None:
        calls = calls.talked(at_least=asked["min_seconds"])
    if asked["max_seconds"] is not None:
        calls = calls.talked(at_most=asked["max_seconds"])
    if asked["notes"]:
        calls = calls.filter(pk__in=Note.objects.filter(removed_at=None).values("connection_id"))
    return calls


def order_of(form: CallsForm) -> Order:
    """In which order a valid form asks for its calls."""
    match form.cleaned_data["sort"]:
        case Sort.LONGEST | Sort.SHORTEST as sort:
            return Order.by_talk(descending=sort == Sort.LONGEST)
        case sort:
            return Order.by_time(descending=sort == Sort.NEWEST, by_tag=len(form.cleaned_data["tag"]) == 1)


def is_short(wanted: str) -> bool:
    """Whether a text is only looked for as a whole name: it has fewer than three letters and digits."""
    return sum(map(str.isalnum, wanted)) < LEAST_CHARACTERS


def calls_with(written: str, country: str) -> Q:
    """Calls with this in a number or a client, or whose id is this or begins so, also in capitals or without.

    A text that is too short must be a whole client. Numbers are read as people write them in `country`
    (`GB`).
    """
    texts, name = search_texts(written, country), written.strip()
    if is_short(texts[0]):
        texts = [f"{BETWEEN}{CLIENT}{texts[0]}{BETWEEN}"]
    lookup = "connection_id__startswith" if len(name) >= LEAST_OF_AN_ID else "connection_id"
    with_id = (Q((lookup, one)) for one in {name: 0, name.lower(): 0, name.upper(): 0})
    return reduce(or_, [*(Q(ILike(ENDS, text)) for text in texts), *with_id])


def _with_text(written: str, country: str, named: list[str]) -> Q:
    """The same, and calls with the numbers and clients whose contacts have it in their names."""
    calls = calls_with(written, country)
    for endpoint in named:
        calls |= with_party(endpoint)
    return calls


def _named(written: str) -> list[str]:
    text = written.strip()
    return endpoints_named(text, whole=is_short(text), limit=MOST_CONTACTS + 1) if text else []


def _tagged(calls: ConnectionQuerySet, names: list[str]) -> ConnectionQuerySet:
    """One tag's calls by a join, in whose order they can be read; of several tags, each call once."""
    tags = list(Tag.objects.filter(name__in=names).values_list("pk", flat=True))
    if len(names) == 1:
        return calls.filter(call_tags__tag__in=tags)
    return calls.filter(pk__in=CallTag.objects.filter(tag__in=tags).values("connection_id"))


def operators() -> list[tuple[str, str]]:
    """Everybody, by name, whether or not they may sign in still."""
    people = Operator.objects.only("username", "first_name", "last_name")
    names = [(one.username, one.shown_name) for one in people]
    return sorted(names, key=lambda one: one[1].lower())


def tags() -> list[tuple[str, str]]:
    """All tags, by name."""
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
    """Return when clocks in `zone` show `shown`, in UTC: the first time, or the `second` where there are two.

    Where they never show it, since they go forward over it, return when they do so.
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
