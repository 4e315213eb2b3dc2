"""Add, change and delete contacts. Nobody's words are overwritten unseen, and every change is on record."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from connections_app.announcing import announce
from connections_app.models import Action, Connection, Contact, Operator, Verb
from connections_app.phonebook import contact_of
from connections_app.recording import record

# So long what was deleted can be put back.
KEPT = timedelta(days=1)
DELETED = "deleted"
CHANGES_SHOWN = 10


class Exists(Exception):
    """There is a contact of this number or client already: `contact`."""

    def __init__(self, contact: Contact) -> None:
        super().__init__(contact.pk)
        self.contact = contact


class Changed(Exception):
    """Somebody else changed the contact meanwhile, and it is `contact` now; None where it was deleted."""

    def __init__(self, contact: Contact | None) -> None:
        super().__init__(contact and contact.pk)
        self.contact = contact


@dataclass(frozen=True, slots=True)
class Written:
    """A contact as somebody wrote it; `endpoint` is as Sift writes it."""

    endpoint: str
    name: str = ""
    notes: str = ""
    do_not_call: bool = False

    @classmethod
    def of(cls, contact: Contact) -> "Written":
        return cls(contact.endpoint, contact.name, contact.notes, contact.do_not_call)

    def adds_nothing_to(self, contact: Contact) -> bool:
        """Whether all that is written here the contact has already."""
        return (
            self.name in ("", contact.name)
            and self.notes in ("", contact.notes)
            and self.do_not_call <= contact.do_not_call
        )


def may_edit(operator: Operator) -> bool:
    return operator.has_perm("connections_app.edit_contacts")


def may_allow_calling(operator: Operator) -> bool:
    """Who may take the mark “do not call” away."""
    return operator.has_perm("connections_app.allow_calling")


def may_delete(operator: Operator, contact: Contact) -> bool:
    """With a contact its mark would go."""
    return may_edit(operator) and (not contact.do_not_call or may_allow_calling(operator))


def check_may_edit(operator: Operator) -> None:
    """Raises `PermissionDenied`."""
    if not may_edit(operator):
        raise PermissionDenied("You may not change contacts.")


def add(written: Written, operator: Operator, address: str | None = None) -> Contact:
    """A new contact. Raises `PermissionDenied`, and `Exists`."""
    check_may_edit(operator)
    with _once(written), transaction.atomic():
        contact = Contact.objects.create(**_fields(written), changed_by=operator.get_username())
        _record(contact, operator, address, " ".join(["Added.", *_mark_told(None, written)]), written)
        announce_calls_with([contact.endpoint])
    return contact


def change(
    pk: int, written: Written, revision: int, operator: Operator, address: str | None = None
) -> Contact:
    """Change the contact that was opened at `revision`; what it says already changes nothing.

    Who may not take the mark “do not call” away leaves it there. Raises `PermissionDenied`, also for giving
    a marked contact another number; `Changed`; and `Exists` where another contact has the number.
    """
    check_may_edit(operator)
    with _once(written), transaction.atomic():
        contact = Contact.objects.select_for_update().filter(pk=pk).first()
        if contact is None:
            raise Changed(None)
        before = Written.of(contact)
        written = _with_mark_kept(before, written, operator)
        if before == written:
            return contact
        if contact.revision != revision:
            raise Changed(contact)
        for field, value in _fields(written).items():
            setattr(contact, field, value)
        contact.revision += 1
        contact.changed_by = operator.get_username()
        contact.save()
        _record(contact, operator, address, " ".join(_told(before, written)), written, before)
        announce_calls_with([before.endpoint, contact.endpoint])
    return contact


def delete(pk: int, revision: int, operator: Operator, address: str | None = None) -> Action | None:
    """Delete the contact that was opened at `revision`; what is on record of it puts it back.

    None where it is deleted already. Raises `PermissionDenied`, also for one with a mark that this person
    may not take away; and `Changed`.
    """
    check_may_edit(operator)
    with transaction.atomic():
        contact = Contact.objects.select_for_update().filter(pk=pk).first()
        if contact is None:
            return None
        if not may_delete(operator, contact):
            raise PermissionDenied("This contact is marked “do not call”: a supervisor may delete it.")
        if contact.revision != revision:
            raise Changed(contact)
        was = Written.of(contact)
        action = _record(contact, operator, address, "Deleted.", was, deleted=_fields(was))
        contact.delete()
        announce_calls_with([was.endpoint])
    return action


def deletion(pk: int) -> Written | None:
    """The contact whose deletion is action `pk`; None where it is there again, or was deleted a day ago."""
    recent = Action.objects.filter(verb=Verb.CONTACT, at__gt=timezone.now() - KEPT)
    action = recent.filter(pk=pk, payload__has_key=DELETED).first()
    if action is None:
        return None
    was = Written(**action.payload[DELETED])
    return None if contact_of(was.endpoint) else was


def changes_of(contact: Contact) -> list[Action]:
    """The last changes of this contact on record, newest first. One query."""
    of_contact = Action.objects.filter(subject=subject(contact.pk), phase=Action.Phase.OUTCOME)
    return list(of_contact.order_by("-id")[:CHANGES_SHOWN])


def subject(pk: int) -> str:
    """How the record of actions names a contact."""
    return f"contact {pk}"


def announce_calls_with(endpoints: Collection[str]) -> None:
    """Announce the calls in progress with one of these ends: they show its name. One query."""
    wanted = {endpoint.lower() for endpoint in endpoints}
    calls = Connection.objects.in_progress().values_list("pk", "from_endpoint", "to_endpoint")
    if found := [pk for pk, *ends in calls if wanted & {(end or "").lower() for end in ends}]:
        announce(found)


def _with_mark_kept(before: Written, written: Written, operator: Operator) -> Written:
    if not before.do_not_call or may_allow_calling(operator):
        return written
    if before.endpoint.lower() != written.endpoint.lower():
        raise PermissionDenied("This contact is marked “do not call”: a supervisor may change its number.")
    return Written(written.endpoint, written.name, written.notes, do_not_call=True)


def _fields(written: Written) -> dict[str, Any]:
    return {
        "endpoint": written.endpoint,
        "name": written.name,
        "notes": written.notes,
        "do_not_call": written.do_not_call,
    }


def _told(before: Written, after: Written) -> list[str]:
    """What a change did, in sentences."""
    told = []
    if before.endpoint != after.endpoint:
        told.append(f"Moved from {before.endpoint} to {after.endpoint}.")
    if before.name != after.name:
        told.append(f"Renamed from “{before.name}” to “{after.name}”.")
    if before.notes != after.notes:
        told.append("Changed the notes.")
    return told + _mark_told(before, after)


def _mark_told(before: Written | None, after: Written) -> list[str]:
    if (before is not None and before.do_not_call) == after.do_not_call:
        return []
    return ["Marked “do not call”." if after.do_not_call else "Took the mark “do not call” away."]


def _record(
    contact: Contact,
    operator: Operator,
    address: str | None,
    outcome: str,
    written: Written,
    before: Written | None = None,
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
def _once(written: Written) -> Iterator[None]:
    """Raises `Exists` where the database refuses a second contact of the same number; `Changed` where that
    one is gone again."""
    try:
        yield
    except IntegrityError as error:
        if "contact_endpoint_once" not in str(error):
            raise
        contact = contact_of(written.endpoint)
        raise (Exists(contact) if contact else Changed(None)) from error
