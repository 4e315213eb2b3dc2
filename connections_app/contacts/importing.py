"""Import a file of contacts in two steps: a dry run shows the changes; then exactly these are made, or none.

The parsed file is stored between the steps. The page of the dry run contains a digest of the changes that it
shows; if contacts have changed since, the digest differs, and the new changes are shown first.
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
from connections_app.contacts.csv_files import Bad, Line, parse
from connections_app.models import Action, Contact, ContactImport, Operator, Verb

BATCH = 2_000
# Files that nobody has imported by then are deleted.
UPLOAD_KEPT_FOR = timedelta(days=1)
LONGEST_FILE_NAME = 200
MARK_STAYS = "It takes the mark “do not call” away, which you may not."


class Stale(Exception):
    """The import would now make other changes than those shown."""


@dataclass(frozen=True, slots=True)
class Change:
    """The change that one line makes to the contact `before` at this revision; None for a new contact."""

    number: int
    after: ContactFields
    before: ContactFields | None = None
    pk: int = 0
    revision: int = 0

    @property
    def marks(self) -> bool:
        """Return True if it sets the mark “do not call”."""
        return self.after.do_not_call and not (self.before and self.before.do_not_call)

    @property
    def unmarks(self) -> bool:
        """Return True if it removes the mark “do not call”."""
        return self.before is not None and self.before.do_not_call and not self.after.do_not_call


@dataclass(frozen=True, slots=True)
class Plan:
    """All changes of an import; `bad` are the lines that it skips, ordered by line number."""

    new: Sequence[Change]
    changed: Sequence[Change]
    same: int
    bad: Sequence[Bad]

    @property
    def changes(self) -> list[Change]:
        """Return the additions, then the changes."""
        return [*self.new, *self.changed]

    @property
    def marked(self) -> int:
        """Return how many contacts get the mark “do not call”."""
        return sum(change.marks for change in self.changes)

    @property
    def unmarked(self) -> int:
        """Return how many contacts lose the mark “do not call”."""
        return sum(change.unmarks for change in self.changes)

    @property
    def digest(self) -> str:
        """Return a hash of all changes, in hexadecimal."""
        contents = json.dumps([astuple(change) for change in self.changes])
        return hashlib.sha256(contents.encode()).hexdigest()


def upload(content: bytes, file_name: str, operator: Operator) -> ContactImport:
    """Parse a file and store it for the second step, replacing earlier files that `operator` did not import.

    Raises `PermissionDenied` and `Unreadable`.
    """
    check_may_import_contacts(operator)
    parsed = parse(content, operator.dials_from)
    with transaction.atomic():
        waiting = ContactImport.objects.filter(done_at=None)
        waiting.filter(owner=operator).delete()
        waiting.filter(uploaded_at__lt=timezone.now() - UPLOAD_KEPT_FOR).delete()
        return ContactImport.objects.create(
            owner=operator,
            file_name=_printable(file_name)[:LONGEST_FILE_NAME],
            lines=[astuple(line) for line in parsed.lines],
            bad=[astuple(bad) for bad in parsed.bad],
            merged=parsed.merged,
            ignored=parsed.ignored,
        )


def make_plan(imported: ContactImport, operator: Operator) -> Plan:
    """Return the changes that importing it now would make. One query for each two thousand contacts."""
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
    """Carry out the plan with this digest, in one transaction. A second call does nothing.

    Raises `PermissionDenied`, `ContactImport.DoesNotExist`, and `Stale` if it would now make other changes.
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
        # Other changes of contacts wait until this is committed; reading does not wait.
        cursor.execute("LOCK TABLE connections_app_contact IN SHARE ROW EXCLUSIVE MODE")
    plan = make_plan(imported, operator)
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
    """Record each mark separately: the page of a contact shows who set its mark."""
    with_mark = [change for change in plan.changes if change.marks or change.unmarks]
    contacts = _contacts(change.after.endpoint for change in with_mark)
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
            for change in with_mark
        ],
        BATCH,
    )


def _change(line: Line, contact: Contact | None) -> Change:
    """Return the change that a line makes; its empty cells change nothing."""
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
    """Return the contacts of these numbers and clients, by the endpoint as given."""
    requested = list(endpoints)
    return {
        endpoint: contact
        for first in range(0, len(requested), BATCH)
        for endpoint, contact in contacts_of(requested[first : first + BATCH]).items()
    }


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())
