"""The menus of the row of filters: what each offers, and what is chosen of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection as database
from django.http import QueryDict

from connections_app.call_list.filters import CallsForm, When, operators, tags
from connections_app.models.countries import COUNTRY_NAMES

# The long ones: what each is called, and what it offers.
LABELS = {"operator": "Operator", "tag": "Tag", "country": "Country"}
MANY = {"operator": "operators", "tag": "tags", "country": "countries"}
# The countries that calls are from, each found by one step in the index, however many calls there are.
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
    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Menu:
    """A filter of which any values may be chosen. One that `is_long` shows the chosen ones, and reads all of
    them when it is opened."""

    name: str
    label: str
    any: str
    options: list[Option]
    errors: list[str]
    is_long: bool = False

    @property
    def words(self) -> str:
        """What is chosen, or that nothing is."""
        return ", ".join(option.label for option in self.options if option.is_chosen) or self.any


def row(form: CallsForm) -> list[Menu]:
    """The menus that stand in the row itself, of a form that has been checked."""
    return [
        _menu(form, "status", "Status", "Any status"),
        _menu(form, "direction", "Direction", "Any direction"),
        _long(form, "operator", "Any operator"),
        _long(form, "tag", "Any tag"),
    ]


def countries(form: CallsForm) -> Menu:
    """The menu of countries."""
    return _long(form, "country", "Any country")


def every_option(name: str, query: QueryDict) -> list[Option]:
    """All that a long menu offers, what `query` has chosen first. One query."""
    chosen = query.getlist(name)
    return sorted(_options(_offered(name, chosen), chosen), key=lambda option: not option.is_chosen)


def set_beyond_the_row(query: QueryDict) -> int:
    """How many of the filters that are out of sight are set."""
    return sum(any(query.getlist(name)) for name in ("country", "min_seconds", "max_seconds", "notes"))


def when_words(query: QueryDict) -> str:
    """The days that are asked for, in few words."""
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
                there = {code for (code,) in cursor.fetchall()} | {c for c in chosen if c in COUNTRY_NAMES}
            return sorted(((code, COUNTRY_NAMES[code]) for code in there), key=lambda one: one[1])


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
