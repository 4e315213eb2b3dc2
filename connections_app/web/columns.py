"""The columns of a list that a person hides; a new column is shown until the person hides it."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import TextChoices

from connections_app.models import Operator


class List(TextChoices):
    """The lists whose columns may be hidden; the values are used in forms and `Operator.hidden_columns`."""

    CALLS = "calls", "Calls"
    LIVE = "live", "Calls in progress"


@dataclass(frozen=True, slots=True)
class Column:
    """A column that may be hidden; its cells have the class `c-<name>`."""

    name: str
    label: str


# A row has no meaning without these, and controls are not a column of text.
ALWAYS_SHOWN = frozenset({"status", "with", "controls"})
MAY_HIDE = {
    List.CALLS: (
        Column("direction", "Direction"),
        Column("since", "Started"),
        Column("for", "Talked"),
        Column("operator", "Operator"),
        Column("tags", "Tags"),
        Column("from", "From"),
        Column("to", "To"),
    ),
    List.LIVE: (
        Column("direction", "Direction"),
        Column("for", "For"),
        Column("since", "Since"),
        Column("operator", "Operator"),
        Column("runs", "Running"),
    ),
}


class NoSuchColumn(ValueError):
    """Raised for a list or a column that does not exist; `str()` is a sentence."""


def hidden(operator: Operator, of: List) -> list[str]:
    """Return the names of the columns of a list that `operator` hides."""
    kept = operator.hidden_columns.get(of, [])
    return [column.name for column in MAY_HIDE[of] if column.name in kept]


def show(operator: Operator, list_name: str, shown: list[str]) -> List:
    """Hide the columns of a list except `shown` from `operator`. Returns the list. Raises `NoSuchColumn`."""
    if list_name not in List:
        raise NoSuchColumn(f"There is no list “{list_name}”.")
    of = List(list_name)
    names = [column.name for column in MAY_HIDE[of]]
    for name in shown:
        if name not in (*names, *ALWAYS_SHOWN):
            raise NoSuchColumn(f"There is no column “{name}” in this list.")
    with transaction.atomic():
        kept = Operator.objects.select_for_update().get(pk=operator.pk)
        kept.hidden_columns[of.value] = [name for name in names if name not in shown]
        kept.save(update_fields=["hidden_columns"])
    return of
