"""The calls just before and just after one, with the same party."""

from dataclasses import dataclass

from django.db.models import Q

from connections_app.models import Connection

SHOWN = 3


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Up to three calls on either side of one, the nearest first."""

    newer: list[Connection]
    older: list[Connection]

    @property
    def next(self) -> Connection | None:
        return self.newer[0] if self.newer else None

    @property
    def previous(self) -> Connection | None:
        return self.older[0] if self.older else None

    @property
    def newest_first(self) -> list[Connection]:
        return [*reversed(self.newer), *self.older]


def neighbours(call: Connection) -> Neighbours:
    """The calls beside this one with the same party; none where Sift has not told the party.

    Two queries, each of which reads a few entries of the index by party, however many calls it has.
    """
    if call.party is None:
        return Neighbours([], [])
    same = Connection.objects.filter(party=call.party).for_rows()
    newer = same.filter(at__gte=call.at).exclude(Q(at=call.at) & Q(id__lte=call.pk))
    older = same.filter(at__lte=call.at).exclude(Q(at=call.at) & Q(id__gte=call.pk))
    return Neighbours(list(newer.longest_first()[:SHOWN]), list(older.newest_first()[:SHOWN]))
