"""The menus in the row of filters: their options, and which of them are chosen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection as database
from django.http import QueryDict

from connections_app.call_list.filters import CallsForm, When, operators, tags
from connections_app.models.countries import COUNTRY_NAMES

# The long menus: the label of each, and the plural for its options.
LABELS = {"operator": "Operator", "tag": "Tag", "country": "Country"}
MANY = {"operator": "operators", "tag": "tags", "country": "countries"}
# The countries of calls, each found by one step in the index, independent of the number of calls.
COUNTRIES_OF_CALLS = """
    WITH RECURSIVE found AS (
        (SELECT country FROM connections_app_connection WHERE country IS NOT NULL ORDER BY country LIMIT 1)
        UNION ALL
        SELECT (
            SELECT country FROM connections_app_connection
            WHERE country > found.country ORDER BY country LIMIT 1
        ) FROM found WHERE found.country IS NOT NULL
    )
    SELECT country FROM found WHERE country IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a menu."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Menu:
    """A filter with any number of chosen options. If `is_long`, it reads the others when it is opened."""

    name: str
    label: str
    any: str
    options: list[Option]
    errors: list[str]
    is_long: bool = False

    @property
    def words(self) -> str:
        """Return the chosen labels, or the label for none."""
        return ", ".join(option.label for option in self.options if option.is_chosen) or self.any


def row(form: CallsForm) -> list[Menu]:
    """Return the menus in the row itself, from a validated form."""
    return [
        _menu(form, "status", "Status", "Any status"),
        _menu(form, "direction", "Direction", "Any direction"),
        _long(form, "operator", "Any operator"),
        _long(form, "tag", "Any tag"),
    ]


def countries(form: CallsForm) -> Menu:
    """Return the menu of countries."""
    return _long(form, "country", "Any country")


def every_option(name: str, query: QueryDict) -> list[Option]:
    """Return all options of a long menu, those chosen in `query` first. One database query."""
    chosen = query.getlist(name)
    return sorted(_options(_offered(name, chosen), chosen), key=lambda option: not option.is_chosen)


def set_beyond_the_row(query: QueryDict) -> int:
    """Return how many of the filters outside the row are set."""
    return sum(any(query.getlist(name)) for name in ("country", "min_seconds", "max_seconds", "notes"))


def when_words(query: QueryDict) -> str:
    """Return the range of days in few words."""
    since, until = (query.get(name, "").replace("T", " ") for name in ("since", "until"))
    if since or until:
        if since and until:
            return since if since == until else f"{since} to {until}"
        return f"From {since}" if since else f"To {until}"
    when = query.get("when", "")
    return str(When(when).label) if when in When else "Any time"


def _offered(name: str, chosen: Sequence[str]) -> Iterable[tuple[str, str]]:
    match name:
        case "operator":
            return operators()
        case "tag":
            return tags()
        case _:
            with database.cursor() as cursor:
                cursor.execute(COUNTRIES_OF_CALLS)
                codes = {code for (code,) in cursor.fetchall()} | {c for c in chosen if c in COUNTRY_NAMES}
            return sorted(((code, COUNTRY_NAMES[code]) for code in codes), key=lambda one: one[1])


def _menu(form: CallsForm, name: str, label: str, any_: str) -> Menu:
    return Menu(name, label, any_, _options(_choices(form, name), form[name].value()), _errors(form, name))


def _long(form: CallsForm, name: str, any_: str) -> Menu:
    chosen = form[name].value()
    options = [one for one in _options(_choices(form, name), chosen) if one.is_chosen] if chosen else []
    return Menu(name, LABELS[name], any_, options, _errors(form, name), is_long=True)


def _choices(form: CallsForm, name: str) -> Iterable[tuple[str, str]]:
    return form.fields[name].choices  # type: ignore[attr-defined, no-any-return]


def _options(choices: Iterable[tuple[str, str]], chosen: Sequence[str]) -> list[Option]:
    return [Option(value, str(label), value in chosen) for value, label in choices]


def _errors(form: CallsForm, name: str) -> list[str]:
    return [str(error) for error in form.errors.get(name, [])]
