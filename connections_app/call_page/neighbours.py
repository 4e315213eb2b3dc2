"""Find the calls just before and just after a call with the same party."""

from dataclasses import dataclass

from django.db.models import Q

from connections_app.models import Connection

PER_SIDE = 3


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Up to `PER_SIDE` calls before and after a call, the nearest first."""

    newer: list[Connection]
    older: list[Connection]

    @property
    def next(self) -> Connection | None:
        """The call just after."""
        return self.newer[0] if self.newer else None

    @property
    def previous(self) -> Connection | None:
        """The call just before."""
        return self.older[0] if self.older else None

    @property
    def newest_first(self) -> list[Connection]:
        """All of them, the newest first."""
        return [*reversed(self.newer), *self.older]


def neighbours(call: Connection) -> Neighbours:
    """Return the calls next to this one with the same party; none if the party is not known.

    Two queries, each of which reads only a few entries of the index by party.
    """
    if call.party is None:
        return Neighbours([], [])
    same = Connection.objects.filter(party=call.party).for_rows()
    newer = same.filter(at__gte=call.at).exclude(Q(at=call.at) & Q(id__lte=call.pk))
    older = same.filter(at__lte=call.at).exclude(Q(at=call.at) & Q(id__gte=call.pk))
    return Neighbours(list(newer.longest_first()[:PER_SIDE]), list(older.newest_first()[:PER_SIDE]))
