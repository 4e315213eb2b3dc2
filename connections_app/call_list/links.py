"""Addresses of the list of calls: with one filter fewer, with another range, in another order."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import QueryDict

from connections_app.call_list.filters import CallsForm, Offers, Sort, When

DATES = ("since", "until")


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
    value: str


@dataclass(frozen=True, slots=True)
class Description:
    """What a query asks for, with its order, for a sentence; and what of it is not understood."""

    words: str
    problem: str


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


def described(query: str, offers: Offers | None = None) -> Description:
    """What a saved query asks for. Those of several queries share their `offers`."""
    asked = QueryDict(query)
    form = CallsForm(asked, offers=offers)
    problem = form.problems
    order = asked.get("sort", "")
    sort = [str(Sort(order).label).lower()] if order in Sort and order != Sort.NEWEST else []
    return Description(", ".join(filter(None, [words(form, asked), *sort])) or "all calls", problem)


def narrower_ranges(query: QueryDict) -> list[Choice]:
    """The same list in the last 7 and 30 days, where that is less than what is asked for."""
    if query.get("since") or query.get("when") not in (None, "", When.MONTH):
        return []
    return [one for one in quick_ranges(query) if one.value in (When.WEEK, When.MONTH) and not one.is_active]


def quick_ranges(query: QueryDict) -> list[Choice]:
    """Any time, and days told from today."""
    has_dates = any(query.get(name) for name in DATES)
    current = query.get("when", "")
    ranges = [("", "Any time"), *When.choices]
    return [
        Choice(label, in_range(query, value), current == value and not has_dates, value)
        for value, label in ranges
    ]


def in_range(query: QueryDict, when: str) -> str:
    """The address of the same list in the days that `when` says."""
    return _with(query, when=when, since="", until="")


def sorts(query: QueryDict) -> list[Choice]:
    """The orders that the list can be in."""
    current = query.get("sort") or Sort.NEWEST
    return [
        Choice(
            str(sort.label),
            _with(query, sort="" if sort == Sort.NEWEST else sort.value),
            current == sort,
            sort,
        )
        for sort in Sort
    ]


@dataclass(frozen=True, slots=True)
class Heading:
    """A column that orders the list: where a click on it leads, and which way it orders now, if it does."""

    label: str
    url: str
    direction: str


def headings(query: QueryDict) -> dict[str, Heading]:
    """The two columns that order the list; a click on the one that does turns the order round."""
    orders = {one.value: one for one in sorts(query)}
    return {
        "by_time": _heading("Started", orders[Sort.NEWEST], orders[Sort.OLDEST]),
        "by_talk": _heading("Talked", orders[Sort.LONGEST], orders[Sort.SHORTEST]),
    }


def _heading(label: str, first: Choice, other: Choice) -> Heading:
    if first.is_active:
        return Heading(label, other.url, "descending")
    return Heading(label, first.url, "ascending" if other.is_active else "")


def filters_query(query: QueryDict) -> str:
    """What `query` asks for, written the same however its pairs are ordered or repeated."""
    pairs = dict.fromkeys(sorted(pairs_of(query)))
    return urlencode([pair for pair in pairs if pair != ("sort", Sort.NEWEST)])


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
        case "when":
            return _chosen(form, name, value).lower()
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
