"""Export all contacts as one CSV file, which can be imported again unchanged."""

from collections.abc import AsyncGenerator, AsyncIterator

from asgiref.sync import sync_to_async

from connections_app.audit.log import record
from connections_app.contacts import csv_files
from connections_app.engines import database
from connections_app.models import Action, Contact, Operator, Verb
from connections_app.web.concurrency import Slot
from connections_app.web.file_responses import sent

CONTACTS_PER_PIECE = 2_000


def export(operator: Operator, address: str | None = None) -> AsyncIterator[str]:
    """Record the export and return the file in pieces. Raises `Busy` if `operator` has no free slot."""
    slot = Slot(operator.pk)
    record(
        Verb.EXPORT,
        Action.Phase.OUTCOME,
        operator,
        address=address,
        subject="contacts",
        outcome=f"Exported all {Contact.objects.count():,} contacts.",
    )
    return sent(_pieces(), slot)


async def _pieces() -> AsyncGenerator[str, None]:
    yield csv_files.heading()
    last = 0
    while contacts := await sync_to_async(_after)(last):
        yield csv_files.csv_lines(contacts)
        last = contacts[-1].pk


def _after(pk: int) -> list[Contact]:
    """Return the next contacts, and release the connection, as the client may be slow to read them."""
    try:
        return list(Contact.objects.filter(pk__gt=pk).order_by("pk")[:CONTACTS_PER_PIECE])
    finally:
        database.release()
