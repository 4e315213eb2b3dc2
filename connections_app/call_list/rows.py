"""The rows of the list: calls with their tags and operators."""

from collections.abc import Sequence
from dataclasses import dataclass

from connections_app.calls.contact_lookup import name_ends
from connections_app.models import CallTag, Connection, Tag


@dataclass(frozen=True, slots=True)
class Row:
    """A call with its tags and its operator's name; empty where it has none."""

    call: Connection
    tags: Sequence[Tag]
    operator: str


def rows_of(calls: Sequence[Connection]) -> list[Row]:
    """Return the rows of these calls, in their order; the calls get their contacts' names. Two queries."""
    name_ends(calls)
    tags: dict[int, list[Tag]] = {}
    for one in CallTag.objects.filter(connection__in=calls).select_related("tag").order_by("tag__name"):
        tags.setdefault(one.connection_id, []).append(one.tag)
    return [
        Row(call, tags.get(call.pk, ()), call.operator.shown_name if call.operator else "") for call in calls
    ]
