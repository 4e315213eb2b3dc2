"""The lease on walking: one walk at a time, whatever happens to the process that makes it.

A holder's fence number is checked by every commit of its walk, so one that slept past its lease writes
nothing more. It is a row, not a lock of the connection: that works through pgbouncer and survives lost
connections.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection as database

from connections_app.models import SyncState

# What a field of the sync's state may be set to.
Value = str | bool | datetime | None

LEASE_SECONDS = 30

TAKE = """
    UPDATE connections_app_syncstate
    SET fence = fence + 1, lease_until = clock_timestamp() + %s * interval '1 second'
    WHERE id IN (
        SELECT id FROM connections_app_syncstate
        WHERE lease_until IS NULL OR lease_until < clock_timestamp()
        FOR UPDATE SKIP LOCKED
    )
    RETURNING fence
"""
# Besides the lease, one statement sets for this transaction: that the database cuts it off when its process
# sleeps in it, and that the commit does not wait for the disk. A crash of the database then loses the last
# rows together with the cursor that says they were read, and the next walk reads them again.
RENEW = """
    UPDATE connections_app_syncstate
    SET lease_until = clock_timestamp() + %s * interval '1 second'{progress}
    WHERE fence = %s AND lease_until > clock_timestamp()
    RETURNING set_config('idle_in_transaction_session_timeout', %s, true),
              set_config('synchronous_commit', 'off', true)
"""


class LeaseLost(Exception):
    """Another walk has taken over: this one was away for longer than its lease."""

    def __str__(self) -> str:
        return "Another walk has taken over, since this one was away for too long."


@dataclass(frozen=True, slots=True)
class Lease:
    fence: int

    def renew(self, **progress: Value) -> None:
        """Hold on for another while and set `progress` on the sync's state; first in a walk's transaction.

        Raises `LeaseLost`, whereupon nothing of the transaction may be committed. The row stays locked until
        then, so a later holder waits for the end of it; one that sleeps in it is cut off by the database.
        """
        with database.cursor() as cursor:
            columns = "".join(f", {quoted(name)} = %s" for name in progress)
            values = [LEASE_SECONDS, *progress.values(), self.fence, f"{LEASE_SECONDS}s"]
            cursor.execute(RENEW.format(progress=columns), values)
            if cursor.rowcount != 1:
                raise LeaseLost

    def release(self) -> None:
        """Let the next walk begin at once; nothing when the lease was lost."""
        SyncState.objects.filter(fence=self.fence).update(lease_until=None)


def quoted(field: str) -> str:
    """The column of one of the state's fields, for SQL. Raises `FieldDoesNotExist` for any other name."""
    return database.ops.quote_name(SyncState._meta.get_field(field).attname)  # type: ignore[union-attr]


def take() -> Lease | None:
    """The lease, or None while another holds it."""
    with database.cursor() as cursor:
        cursor.execute(TAKE, [LEASE_SECONDS])
        row = cursor.fetchone()
    return Lease(row[0]) if row else None
