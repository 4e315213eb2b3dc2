"""The export holds every contact, no formula, and is imported again without a change."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.test import Client

from connections_app.models import Action, Contact
from tests.conftest import in_a_loop
from tests.contacts.conftest import ANA, made
from tests.contacts.test_importing import all_contacts, carry_out, dry_run

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def exported(client: Client) -> str:
    answer: Any = client.post("/contacts/export/")
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith('attachment; filename="contacts-')
    return in_a_loop(joined(answer.streaming_content)).decode()


async def joined(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


def test_every_contact_is_in_it_and_nothing_is_a_formula(sam: Client) -> None:
    made("=1+1", ANA, notes="-x\n@y", do_not_call=True)
    made("Ana", "webrtc:ana")
    rows = list(csv.reader(io.StringIO(exported(sam).removeprefix("\ufeff"))))
    assert rows == [
        ["endpoint", "name", "notes", "do_not_call"],
        ["tel:+14155550142", "'=1+1", "'-x\n@y", "yes"],
        ["webrtc:ana", "Ana", "", ""],
    ]


def test_it_is_imported_again_without_a_change(sam: Client) -> None:
    made("=1+1", ANA, notes="'+x", do_not_call=True)
    made("＝1", "webrtc:=Ana", notes="＠x")
    Contact.objects.bulk_create(
        Contact(name=f"Name {n}", endpoint=f"+1212555{n:04}", changed_by="ben") for n in range(2_100)
    )
    file, before = exported(sam), told()
    plan = dry_run(sam, file).context["plan"]
    assert (plan.changes, plan.same, plan.bad) == ([], 2_102, [])
    Contact.objects.all().delete()
    carry_out(sam, dry_run(sam, file))
    assert told() == before


def told() -> list[tuple[Any, ...]]:
    return [row[:4] for row in all_contacts()]


def test_it_is_on_record(sam: Client) -> None:
    made()
    exported(sam)
    action = Action.objects.get()
    assert (action.actor, action.verb, action.outcome) == ("sam", "export", "Exported all 1 contacts.")
