"""All contacts as one CSV file, which can be imported again as it is."""

from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async

from connections_app.contacts import files
from connections_app.models import Action, Contact, Operator, Verb
from connections_app.recording import record

CHUNK = 2_000


def export(operator: Operator, address: str | None = None) -> AsyncIterator[str]:
    """The file, piece by piece; that it was asked for is on record first."""
    record(
        Verb.EXPORT,
        Action.Phase.OUTCOME,
        operator,
        address=address,
        subject="contacts",
        outcome=f"Exported all {Contact.objects.count():,} contacts.",
    )
    return _pieces()


async def _pieces() -> AsyncIterator[str]:
    yield files.heading()
    last = 0
    while contacts := await sync_to_async(_after)(last):
        yield files.written(contacts)
        last = contacts[-1].pk


def _after(pk: int) -> list[Contact]:
    return list(Contact.objects.filter(pk__gt=pk).order_by("pk")[:CHUNK])
