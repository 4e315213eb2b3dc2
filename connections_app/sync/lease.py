"""The lease on walking: only one walk runs at a time, even if its process dies or sleeps.

Every commit of a walk checks its fence number, so a walk that slept past its lease writes nothing more.
The lease is a row, not a lock of the connection, so it works through pgbouncer and survives lost
connections.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection as database

from connections_app.models import SyncState

# The types of the fields of `SyncState` that a walk sets.
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
# The same statement sets two options of this transaction: the database ends it when its process sleeps in it,
# and the commit does not wait for the disk. A crash of the database then loses the last rows together with
# the cursor that marks them as read, and the next walk reads them again.
RENEW = """
    UPDATE connections_app_syncstate
    SET lease_until = clock_timestamp() + %s * interval '1 second'{progress}
    WHERE fence = %s AND lease_until > clock_timestamp()
    RETURNING set_config('idle_in_transaction_session_timeout', %s, true),
              set_config('synchronous_commit', 'off', true)
"""


class LeaseLost(Exception):
    """Another walk has taken the lease, because this one did not renew it in time."""

    def __str__(self) -> str:
        return "Another walk has taken over, since this one was away for too long."


@dataclass(frozen=True, slots=True)
class Lease:
    """A held lease; `fence` is the number that identifies its holder."""

    fence: int

    def renew(self, **progress: Value) -> None:
        """Extend the lease and set `progress` on `SyncState`, as the first statement of a transaction.

        Raises `LeaseLost`; roll the transaction back then. The row stays locked until the transaction ends,
        so the next holder waits for it; the database ends a transaction whose process sleeps.
        """
        with database.cursor() as cursor:
            columns = "".join(f", {quoted(name)} = %s" for name in progress)
            values = [LEASE_SECONDS, *progress.values(), self.fence, f"{LEASE_SECONDS}s"]
            cursor.execute(RENEW.format(progress=columns), values)
            if cursor.rowcount != 1:
                raise LeaseLost

    def release(self) -> None:
        """Let the next walk begin immediately. Do nothing if the lease was lost."""
        SyncState.objects.filter(fence=self.fence).update(lease_until=None)


def quoted(field: str) -> str:
    """Return the quoted column of a field of `SyncState`. Raises `FieldDoesNotExist` for any other name."""
    return database.ops.quote_name(SyncState._meta.get_field(field).attname)  # type: ignore[union-attr]


def take() -> Lease | None:
    """Return the lease, or None while another walk holds it."""
    with database.cursor() as cursor:
        cursor.execute(TAKE, [LEASE_SECONDS])
        row = cursor.fetchone()
    return Lease(row[0]) if row else None
