"""Which columns of a list a person hides; a new column of ours is shown until somebody hides it."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import TextChoices

from connections_app.models import Operator


class List(TextChoices):
    """The lists whose columns are chosen; the value is the name in forms and in `Operator.hidden_columns`."""

    CALLS = "calls", "Calls"
    LIVE = "live", "Calls in progress"


@dataclass(frozen=True, slots=True)
class Column:
    """One that may be hidden; its cells carry the class `c-<name>`."""

    name: str
    label: str


# A row says nothing without these, and controls are no column that one reads.
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
    """A list or a column that there is not; `str()` is a sentence."""


def hidden(operator: Operator, of: List) -> list[str]:
    """The names of the columns of a list that `operator` hides."""
    kept = operator.hidden_columns.get(of, [])
    return [column.name for column in MAY_HIDE[of] if column.name in kept]


def show(operator: Operator, list_name: str, shown: list[str]) -> List:
    """Keep for `operator` that of this list only the columns `shown`, by name, are to be seen. The list.

    Raises `NoSuchColumn`.
    """
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
