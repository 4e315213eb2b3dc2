"""Add, change and delete contacts. Concurrent edits are never overwritten, and each change is recorded."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from connections_app.access.permissions import check_may_edit_contacts, may_allow_calling, may_delete_contact
from connections_app.audit.log import record
from connections_app.calls.contact_lookup import contact_of
from connections_app.calls.notify import announce
from connections_app.models import Action, Connection, Contact, Operator, Verb
from connections_app.models.case_folding import Folded, keyed, keys_of

RESTORABLE_FOR = timedelta(days=1)
DELETED = "deleted"
CHANGES_SHOWN = 10


class ContactExists(Exception):
    """The number or client already has a contact, `contact`."""

    def __init__(self, contact: Contact) -> None:
        super().__init__(contact.pk)
        self.contact = contact


class ChangedMeanwhile(Exception):
    """The contact was changed by somebody else and is now `contact`, or None if it was deleted."""

    def __init__(self, contact: Contact | None) -> None:
        super().__init__(contact and contact.pk)
        self.contact = contact


@dataclass(frozen=True, slots=True)
class ContactFields:
    """The fields of a contact; `endpoint` has the form that Sift uses."""

    endpoint: str
    name: str = ""
    notes: str = ""
    do_not_call: bool = False

    @classmethod
    def of(cls, contact: Contact) -> "ContactFields":
        """Return the fields of `contact`."""
        return cls(contact.endpoint, contact.name, contact.notes, contact.do_not_call)

    def adds_nothing_to(self, contact: Contact) -> bool:
        """Return True if `contact` already has all that these fields contain."""
        return (
            self.name in ("", contact.name)
            and self.notes in ("", contact.notes)
            and self.do_not_call <= contact.do_not_call
        )


def add(written: ContactFields, operator: Operator, address: str | None = None) -> Contact:
    """Create a contact. Raises `PermissionDenied` and `ContactExists`."""
    check_may_edit_contacts(operator)
    with _unique(written), transaction.atomic():
        contact = Contact.objects.create(**_fields(written), changed_by=operator.get_username())
        _record(contact, operator, address, " ".join(["Added.", *_mark_in_words(None, written)]), written)
        announce_calls_with([contact.endpoint])
    return contact


def change(
    pk: int, written: ContactFields, revision: int, operator: Operator, address: str | None = None
) -> Contact:
    """Change the contact that was opened at `revision`, unless it already has these values.

    The mark “do not call” stays if `operator` may not remove it. Raises `PermissionDenied`, also for a new
    number of a marked contact; `ChangedMeanwhile`; `ContactExists` if another contact has the number.
    """
    check_may_edit_contacts(operator)
    with _unique(written), transaction.atomic():
        contact = Contact.objects.select_for_update().filter(pk=pk).first()
        if contact is None:
            raise ChangedMeanwhile(None)
        before = ContactFields.of(contact)
        written = _with_mark_kept(before, written, operator)
        if before == written:
            return contact
        if contact.revision != revision:
            raise ChangedMeanwhile(contact)
        for field, value in _fields(written).items():
            setattr(contact, field, value)
        contact.revision += 1
        contact.changed_by = operator.get_username()
        contact.save()
        _record(contact, operator, address, " ".join(_changes_in_words(before, written)), written, before)
        announce_calls_with([before.endpoint, contact.endpoint])
    return contact


def delete(pk: int, revision: int, operator: Operator, address: str | None = None) -> Action | None:
    """Delete the contact that was opened at `revision`. Returns the audit record that can restore it.

    Returns None if it is already deleted. Raises `ChangedMeanwhile` and `PermissionDenied`, also for a mark
    that `operator` may not remove.
    """
    check_may_edit_contacts(operator)
    with transaction.atomic():
        contact = Contact.objects.select_for_update().filter(pk=pk).first()
        if contact is None:
            return None
        if not may_delete_contact(operator, contact):
            raise PermissionDenied("This contact is marked “do not call”: a supervisor may delete it.")
        if contact.revision != revision:
            raise ChangedMeanwhile(contact)
        was = ContactFields.of(contact)
        action = _record(contact, operator, address, "Deleted.", was, deleted=_fields(was))
        contact.delete()
        announce_calls_with([was.endpoint])
    return action


def deleted_contact(pk: int) -> ContactFields | None:
    """Return the contact that action `pk` deleted; None if it exists again or the deletion is too old."""
    recent = Action.objects.filter(verb=Verb.CONTACT, at__gt=timezone.now() - RESTORABLE_FOR)
    action = recent.filter(pk=pk, payload__has_key=DELETED).first()
    if action is None:
        return None
    was = ContactFields(**action.payload[DELETED])
    return None if contact_of(was.endpoint) else was


def changes_of(contact: Contact) -> list[Action]:
    """Return the last recorded changes of this contact, newest first. One query."""
    of_contact = Action.objects.filter(subject=subject(contact.pk), phase=Action.Phase.OUTCOME)
    return list(of_contact.order_by("-id")[:CHANGES_SHOWN])


def subject(pk: int) -> str:
    """Return the subject under which the audit log lists the contact."""
    return f"contact {pk}"


def announce_calls_with(endpoints: Collection[str]) -> None:
    """Announce the calls in progress with these endpoints, as they show their names. One query."""
    keys = keys_of(endpoints)
    calls = Connection.objects.in_progress().alias(
        caller_key=Folded("from_endpoint"), callee_key=Folded("to_endpoint")
    )
    matching = calls.filter(Q(caller_key__in=keys) | Q(callee_key__in=keys))
    if found := list(matching.values_list("pk", flat=True)):
        announce(found)


def _with_mark_kept(before: ContactFields, written: ContactFields, operator: Operator) -> ContactFields:
    if not before.do_not_call or may_allow_calling(operator):
        return written
    if len(set(keyed([before.endpoint, written.endpoint]).values())) > 1:
        raise PermissionDenied("This contact is marked “do not call”: a supervisor may change its number.")
    return ContactFields(written.endpoint, written.name, written.notes, do_not_call=True)


def _fields(written: ContactFields) -> dict[str, Any]:
    return {
        "endpoint": written.endpoint,
        "name": written.name,
        "notes": written.notes,
        "do_not_call": written.do_not_call,
    }


def _changes_in_words(before: ContactFields, after: ContactFields) -> list[str]:
    """Return what a change did, in sentences."""
    words = []
    if before.endpoint != after.endpoint:
        words.append(f"Moved from {before.endpoint} to {after.endpoint}.")
    if before.name != after.name:
        words.append(f"Renamed from “{before.name}” to “{after.name}”.")
    if before.notes != after.notes:
        words.append("Changed the notes.")
    return words + _mark_in_words(before, after)


def _mark_in_words(before: ContactFields | None, after: ContactFields) -> list[str]:
    if (before is not None and before.do_not_call) == after.do_not_call:
        return []
    return ["Marked “do not call”." if after.do_not_call else "Took the mark “do not call” away."]


def _record(
    contact: Contact,
    operator: Operator,
    address: str | None,
    outcome: str,
    written: ContactFields,
    before: ContactFields | None = None,
    deleted: Mapping[str, Any] | None = None,
) -> Action:
    payload = {"endpoint": written.endpoint, "name": written.name, "do_not_call": written.do_not_call}
    if before is not None:
        payload["before"] = {
            "endpoint": before.endpoint,
            "name": before.name,
            "do_not_call": before.do_not_call,
        }
    if deleted is not None:
        payload[DELETED] = dict(deleted)
    return record(
        Verb.CONTACT,
        Action.Phase.OUTCOME,
        operator,
        address=address,
        subject=subject(contact.pk),
        payload=payload,
        outcome=outcome,
    )


@contextmanager
def _unique(written: ContactFields) -> Iterator[None]:
    """Raise `ContactExists` if the database refuses a second contact of the same number;
    `ChangedMeanwhile` if that contact has been deleted since."""
    try:
        yield
    except IntegrityError as error:
        if "contact_endpoint_once" not in str(error):
            raise
        contact = contact_of(written.endpoint)
        raise (ContactExists(contact) if contact else ChangedMeanwhile(None)) from error
