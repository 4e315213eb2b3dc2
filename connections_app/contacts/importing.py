"""Import a file of contacts in two steps: what it would do is shown; then exactly that is done, or nothing.

Between the two the file waits here as it was read. The page of the dry run carries a digest of what it shows;
when contacts changed meanwhile, the digest is another, and what would be done now is shown first.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db import connection as database
from django.utils import timezone

from connections_app.access.permissions import check_may_import_contacts, may_allow_calling
from connections_app.audit.log import record
from connections_app.calls.contact_lookup import contacts_of
from connections_app.contacts.changes import ContactFields, announce_calls_with, subject
from connections_app.contacts.csv_files import Bad, Line, read
from connections_app.models import Action, Contact, ContactImport, Operator, Verb

BATCH = 2_000
# Files that nobody imported are forgotten after this.
KEPT = timedelta(days=1)
LONGEST_FILE_NAME = 200
MARK_STAYS = "It takes the mark “do not call” away, which you may not."


class Stale(Exception):
    """What would be done is no longer what was shown."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one line does: to the contact that is `before` with this revision, or None for a new one."""

    number: int
    after: ContactFields
    before: ContactFields | None = None
    pk: int = 0
    revision: int = 0

    @property
    def marks(self) -> bool:
        return self.after.do_not_call and not (self.before and self.before.do_not_call)

    @property
    def unmarks(self) -> bool:
        return self.before is not None and self.before.do_not_call and not self.after.do_not_call


@dataclass(frozen=True, slots=True)
class Plan:
    """All that an import does; `bad` are the lines that it leaves out, by their numbers."""

    new: Sequence[Change]
    changed: Sequence[Change]
    same: int
    bad: Sequence[Bad]

    @property
    def changes(self) -> list[Change]:
        return [*self.new, *self.changed]

    @property
    def marked(self) -> int:
        return sum(change.marks for change in self.changes)

    @property
    def unmarked(self) -> int:
        return sum(change.unmarks for change in self.changes)

    @property
    def digest(self) -> str:
        contents = json.dumps([astuple(change) for change in self.changes])
        return hashlib.sha256(contents.encode()).hexdigest()


def upload(content: bytes, file_name: str, operator: Operator) -> ContactImport:
    """Read a file and keep it for the second step; earlier ones of this person that were not imported go.

    Raises `PermissionDenied`, and `Unreadable`.
    """
    check_may_import_contacts(operator)
    found = read(content, operator.dials_from)
    with transaction.atomic():
        waiting = ContactImport.objects.filter(done_at=None)
        waiting.filter(owner=operator).delete()
        waiting.filter(uploaded_at__lt=timezone.now() - KEPT).delete()
        return ContactImport.objects.create(
            owner=operator,
            file_name=_printable(file_name)[:LONGEST_FILE_NAME],
            lines=[astuple(line) for line in found.lines],
            bad=[astuple(bad) for bad in found.bad],
            merged=found.merged,
            ignored=found.ignored,
        )


def planned(imported: ContactImport, operator: Operator) -> Plan:
    """What importing it now would do. One query for every two thousand contacts."""
    lines = [Line(*values) for values in imported.lines]
    contacts = _contacts(line.endpoint for line in lines)
    new, changed, same = [], [], 0
    bad = [Bad(*values) for values in imported.bad]
    for line in lines:
        change = _change(line, contacts.get(line.endpoint))
        if change.unmarks and not may_allow_calling(operator):
            bad.append(Bad(line.number, line.endpoint, MARK_STAYS))
        elif change.before is None:
            new.append(change)
        elif change.before != change.after:
            changed.append(change)
        else:
            same += 1
    return Plan(new, changed, same, sorted(bad, key=lambda one: one.number))


def carry_out(pk: UUID, digest: str, operator: Operator, address: str | None = None) -> ContactImport:
    """Do what the plan of this digest says, all of it in one transaction; once: the second time does nothing.

    Raises `PermissionDenied`, `ContactImport.DoesNotExist`, and `Stale` where it would now do something else.
    """
    check_may_import_contacts(operator)
    try:
        with transaction.atomic():
            imported = ContactImport.objects.select_for_update().get(pk=pk, owner=operator)
            if imported.done_at is None:
                _carry_out(imported, digest, operator, address)
            return imported
    except IntegrityError as error:
        raise Stale from error


def _carry_out(imported: ContactImport, digest: str, operator: Operator, address: str | None) -> None:
    with database.cursor() as cursor:
        # Whoever changes a contact waits until this is committed, and whoever reads does not.
        cursor.execute("LOCK TABLE connections_app_contact IN SHARE ROW EXCLUSIVE MODE")
    plan = planned(imported, operator)
    if plan.digest != digest:
        raise Stale
    _write(plan, operator)
    result = {
        "new": len(plan.new),
        "changed": len(plan.changed),
        "same": plan.same,
        "merged": imported.merged,
        "bad": len(plan.bad),
        "marked": plan.marked,
        "unmarked": plan.unmarked,
    }
    imported.lines, imported.bad = [], []
    imported.result, imported.done_at = result, timezone.now()
    imported.save()
    record(
        Verb.IMPORT_CONTACTS,
        Action.Phase.OUTCOME,
        operator,
        address=address,
        subject=f"import {imported.pk}",
        payload={"file": imported.file_name} | result,
        outcome=f"Added {len(plan.new):,} and changed {len(plan.changed):,} contacts.",
    )
    _record_marks(plan, operator, address)
    announce_calls_with([change.after.endpoint for change in plan.changes])


def _write(plan: Plan, operator: Operator) -> None:
    now, by = timezone.now(), operator.get_username()
    Contact.objects.bulk_create(
        [_contact(change.after, changed_by=by, changed_at=now) for change in plan.new], BATCH
    )
    Contact.objects.bulk_create(
        [
            _contact(change.after, pk=change.pk, revision=change.revision + 1, changed_by=by, changed_at=now)
            for change in plan.changed
        ],
        BATCH,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["name", "notes", "do_not_call", "revision", "changed_by", "changed_at"],
    )


def _record_marks(plan: Plan, operator: Operator, address: str | None) -> None:
    """Who marked whom is asked of one contact, so it is on record for each."""
    moved = [change for change in plan.changes if change.marks or change.unmarks]
    contacts = _contacts(change.after.endpoint for change in moved)
    Action.objects.bulk_create(
        [
            Action(
                verb=Verb.CONTACT,
                phase=Action.Phase.OUTCOME,
                actor_id=operator.pk,
                actor=operator.get_username(),
                address=address,
                subject=subject(contacts[change.after.endpoint].pk),
                payload={"endpoint": change.after.endpoint, "do_not_call": change.after.do_not_call},
                outcome=(
                    "Marked “do not call” by an import."
                    if change.marks
                    else "Took the mark “do not call” away by an import."
                ),
            )
            for change in moved
        ],
        BATCH,
    )


def _change(line: Line, contact: Contact | None) -> Change:
    """What a line does; where it says nothing, the contact stays as it is."""
    if contact is None:
        after = ContactFields(line.endpoint, line.name, line.notes, bool(line.do_not_call))
        return Change(line.number, after)
    before = ContactFields.of(contact)
    after = ContactFields(
        contact.endpoint,
        line.name or contact.name,
        line.notes or contact.notes,
        contact.do_not_call if line.do_not_call is None else line.do_not_call,
    )
    return Change(line.number, after, before, contact.pk, contact.revision)


def _contact(written: ContactFields, **fields: Any) -> Contact:
    return Contact(
        endpoint=written.endpoint,
        name=written.name,
        notes=written.notes,
        do_not_call=written.do_not_call,
        **fields,
    )


def _contacts(endpoints: Iterable[str]) -> dict[str, Contact]:
    """The contacts of these numbers and clients, by the endpoint as it is given."""
    wanted = list(endpoints)
    return {
        endpoint: contact
        for first in range(0, len(wanted), BATCH)
        for endpoint, contact in contacts_of(wanted[first : first + BATCH]).items()
    }


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())
