"""Template tags for the columns of a list: those that can be hidden, and those that the person hides."""

from typing import Any

from django import template

from connections_app.models import Operator
from connections_app.web.columns import MAY_HIDE, Column, List, hidden

register = template.Library()


@register.simple_tag(takes_context=True)
def hidden_columns(context: Any, list_name: str) -> str:
    """Return the names of the columns that the person hides, separated by spaces, for `data-hides`."""
    return " ".join(_hidden(context, List(list_name)))


@register.simple_tag(takes_context=True)
def columns(context: Any, list_name: str) -> list[tuple[Column, bool]]:
    """Return the columns that may be hidden, each with True if it is shown."""
    hides = _hidden(context, List(list_name))
    return [(column, column.name not in hides) for column in MAY_HIDE[List(list_name)]]


def _hidden(context: Any, of: List) -> list[str]:
    """Return the hidden columns; none if nobody is signed in, as at the wallboard."""
    user = context.get("user")
    return hidden(user, of) if isinstance(user, Operator) else []
