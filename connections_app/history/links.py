"""Addresses of the list of calls: with one filter fewer, with another range, in another order."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils import timezone

from connections_app.history.filters import CallsForm, Sort

WHEN = ("since", "until")


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter that is set, and the address of the list without it."""

    label: str
    remove_url: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One way of showing the list, with its address, and whether it is the one that is shown."""

    label: str
    url: str
    is_active: bool


def chips(form: CallsForm, query: QueryDict) -> list[Chip]:
    """One chip for each value that is set. `form` has been checked, or its labels may be the bare values."""
    return [
        Chip(_label(form, name, value), _address(pair for pair in pairs_of(query) if pair != (name, value)))
        for name, value in dict.fromkeys(pairs_of(query))
        if name != "sort"
    ]


def words(form: CallsForm, query: QueryDict) -> str:
    """All filters that are set, for a sentence: `Failed, from 2026-05-01`."""
    return ", ".join(chip.label for chip in chips(form, query))


def quick_ranges(query: QueryDict, now: datetime) -> list[Choice]:
    """Today, yesterday, 7 and 30 days, and any time, in the person's zone."""
    today = timezone.localtime(now).date()
    ranges: Iterable[tuple[str, date | None, date | None]] = (
        ("Today", today, None),
        ("Yesterday", today - timedelta(days=1), today - timedelta(days=1)),
        ("7 days", today - timedelta(days=6), None),
        ("30 days", today - timedelta(days=29), None),
        ("Any time", None, None),
    )
    current = tuple(query.get(name, "") for name in WHEN)
    return [
        Choice(label, in_range(query, since, until), current == (_iso(since), _iso(until)))
        for label, since, until in ranges
    ]


def in_range(query: QueryDict, since: date | None, until: date | None) -> str:
    """The address of the same list between these days."""
    return _with(query, since=_iso(since), until=_iso(until))


def sorts(query: QueryDict) -> list[Choice]:
    """The orders that the list can be in."""
    current = query.get("sort") or Sort.NEWEST
    return [
        Choice(str(sort.label), _with(query, sort="" if sort == Sort.NEWEST else sort.value), current == sort)
        for sort in Sort
    ]


def pairs_of(query: QueryDict) -> list[tuple[str, str]]:
    """The filters and the order that a query string sets, without its place in the list."""
    return [
        (name, value.strip())
        for name in CallsForm.base_fields
        for value in query.getlist(name)
        if value.strip()
    ]


def _with(query: QueryDict, **wanted: str) -> str:
    kept = [pair for pair in pairs_of(query) if pair[0] not in wanted]
    return _address([*kept, *((name, value) for name, value in wanted.items() if value)])


def _label(form: CallsForm, name: str, value: str) -> str:
    moment = value.replace("T", " ")
    match name:
        case "q":
            return f"contains {value}"
        case "since":
            return f"from {moment}"
        case "until":
            return f"to {moment}"
        case "min_seconds":
            return f"talked {value} s or longer" if value.isdigit() else f"talked {value} or longer"
        case "max_seconds":
            return f"talked {value} s or shorter" if value.isdigit() else f"talked {value} or shorter"
        case "operator":
            return f"by {_chosen(form, name, value)}"
        case "tag":
            return f"tagged {value}"
        case _:
            return _chosen(form, name, value)


def _chosen(form: CallsForm, name: str, value: str) -> str:
    choices = dict(form.fields[name].choices)  # type: ignore[attr-defined]
    return str(choices.get(value, value))


def _address(pairs: Iterable[tuple[str, str]]) -> str:
    return f"?{urlencode(list(pairs))}"


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""
