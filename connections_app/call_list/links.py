"""URLs of the list of calls: without one of its filters, with another range, in another order."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import QueryDict

from connections_app.call_list.filters import CallsForm, FilterChoices, Sort, When

DATES = ("since", "until")


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter that is set, and the URL of the list without it."""

    label: str
    remove_url: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One range or order of the list, with its URL; `is_active` if it is the current one."""

    label: str
    url: str
    is_active: bool
    value: str


@dataclass(frozen=True, slots=True)
class Description:
    """A query's filters and order as words of a sentence, and the error of an invalid one."""

    words: str
    problem: str


def chips(form: CallsForm, query: QueryDict) -> list[Chip]:
    """Return one chip for each value that is set. An unvalidated `form` may give values as labels."""
    return [
        Chip(_label(form, name, value), _address(pair for pair in pairs_of(query) if pair != (name, value)))
        for name, value in dict.fromkeys(pairs_of(query))
        if name != "sort"
    ]


def words(form: CallsForm, query: QueryDict) -> str:
    """Return all filters that are set, for a sentence: `Failed, from 2026-05-01`."""
    return ", ".join(chip.label for chip in chips(form, query))


def described(query: str, offers: FilterChoices | None = None) -> Description:
    """Return the description of a saved query. Several queries may share `offers`."""
    parameters = QueryDict(query)
    form = CallsForm(parameters, offers=offers)
    problem = form.problems
    order = parameters.get("sort", "")
    sort = [str(Sort(order).label).lower()] if order in Sort and order != Sort.NEWEST else []
    return Description(", ".join(filter(None, [words(form, parameters), *sort])) or "all calls", problem)


def narrower_ranges(query: QueryDict) -> list[Choice]:
    """Return the last 7 and the last 30 days as ranges, where they are narrower than the current range."""
    if query.get("since") or query.get("when") not in (None, "", When.MONTH):
        return []
    return [one for one in quick_ranges(query) if one.value in (When.WEEK, When.MONTH) and not one.is_active]


def quick_ranges(query: QueryDict) -> list[Choice]:
    """Return any time, and the ranges of days relative to today."""
    has_dates = any(query.get(name) for name in DATES)
    current = query.get("when", "")
    ranges = [("", "Any time"), *When.choices]
    return [
        Choice(label, in_range(query, value), current == value and not has_dates, value)
        for value, label in ranges
    ]


def in_range(query: QueryDict, when: str) -> str:
    """Return the URL of the same list in the range `when`."""
    return _with(query, when=when, since="", until="")


def sorts(query: QueryDict) -> list[Choice]:
    """Return the possible orders of the list."""
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
    """A column that orders the list: the URL of its link, and its direction if it is the current order."""

    label: str
    url: str
    direction: str


def headings(query: QueryDict) -> dict[str, Heading]:
    """Return the two columns that order the list; the link of the current one reverses the order."""
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
    """Return the filters and the order of `query` in a canonical form, for comparison."""
    pairs = dict.fromkeys(sorted(pairs_of(query)))
    return urlencode([pair for pair in pairs if pair != ("sort", Sort.NEWEST)])


def pairs_of(query: QueryDict) -> list[tuple[str, str]]:
    """Return the filters and the order that a query string sets, without its page."""
    return [
        (name, value.strip())
        for name in CallsForm.base_fields
        for value in query.getlist(name)
        if value.strip()
    ]


def _with(query: QueryDict, **changes: str) -> str:
    kept = [pair for pair in pairs_of(query) if pair[0] not in changes]
    return _address([*kept, *((name, value) for name, value in changes.items() if value)])


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
