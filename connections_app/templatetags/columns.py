"""Template tags for the columns of a list: which there are to choose from, and which the person hides."""

from typing import Any

from django import template

from connections_app.models import Operator
from connections_app.web.columns import MAY_HIDE, Column, List, hidden

register = template.Library()


@register.simple_tag(takes_context=True)
def hidden_columns(context: Any, list_name: str) -> str:
    """For `data-hides` on the table: the names of the columns that the person hides, with spaces between."""
    return " ".join(_hidden(context, List(list_name)))


@register.simple_tag(takes_context=True)
def columns(context: Any, list_name: str) -> list[tuple[Column, bool]]:
    """The columns that may be hidden, each with whether it is shown."""
    hides = _hidden(context, List(list_name))
    return [(column, column.name not in hides) for column in MAY_HIDE[List(list_name)]]


def _hidden(context: Any, of: List) -> list[str]:
    """Nobody in particular, as at the wallboard, hides nothing."""
    user = context.get("user")
    return hidden(user, of) if isinstance(user, Operator) else []
