"""What each person may do, as checked by pages, forms, workers and commands."""

from django.core.exceptions import PermissionDenied
from django.db import connection as database

from connections_app.models import BulkTagging, CallRequest, Connection, Contact, Note, Operator
from connections_app.models.case_folding import folded, folded_client

# A subquery for the keys of the operators whose browser client is at one of the ends of `call`.
ON_THE_LINE = f"""
    SELECT id FROM connections_app_operator
    WHERE {folded("client_name")} IN (
        {folded_client("call.from_endpoint")}, {folded_client("call.to_endpoint")}
    )
"""  # noqa: S608
IS_THEIRS = f"""
    SELECT EXISTS (
        SELECT FROM connections_app_callrequest
        WHERE connection_id = %(call)s AND operator_id = %(operator)s
    ) OR EXISTS (
        SELECT FROM connections_app_connection AS call
        WHERE call.id = %(call)s AND %(operator)s IN ({ON_THE_LINE})
    )
"""  # noqa: S608

TAGS_ARE_SUPERVISED = "Supervisors make, change and delete tags."


def may_place(operator: Operator) -> bool:
    """Return whether the operator may place calls."""
    return _has(operator, "place_call")


def may_steer_any(operator: Operator) -> bool:
    """Return whether the operator may change every call, request and note, as supervisors may."""
    return _has(operator, "steer_any_call")


def may_steer(operator: Operator, connection: Connection) -> bool:
    """Return whether the operator may run routines on this call and hang it up.

    Supervisors steer every call; operators the calls that they placed or that involve their client name.
    """
    return may_steer_any(operator) or (may_place(operator) and _is_theirs(operator, connection))


def may_settle(operator: Operator, request: CallRequest) -> bool:
    """Return whether the operator may settle the outcome of a request: their own, or any as a supervisor."""
    return may_steer_any(operator) or (may_place(operator) and request.operator_id == operator.pk)


def may_write_notes(operator: Operator) -> bool:
    """Return whether the operator may write notes to calls."""
    return _has(operator, "write_notes")


def may_change_note(operator: Operator, note: Note) -> bool:
    """Return whether the operator may change, remove and restore a note."""
    return may_steer_any(operator) or (may_write_notes(operator) and note.author_id == operator.pk)


def may_tag(operator: Operator) -> bool:
    """Return whether the operator may put tags on calls and take them off."""
    return _has(operator, "tag_calls")


def may_make_tags(operator: Operator) -> bool:
    """Return whether the operator may make tags."""
    return _has(operator, "add_tag")


def may_change_tags(operator: Operator) -> bool:
    """Return whether the operator may rename and recolour tags, and see and stop everybody's bulk tagging."""
    return _has(operator, "change_tag")


def may_delete_tags(operator: Operator) -> bool:
    """Return whether the operator may delete tags."""
    return _has(operator, "delete_tag")


def may_stop_bulk(operator: Operator, bulk: BulkTagging) -> bool:
    """Return whether the operator may see, stop and undo `bulk`: their own, or any as a supervisor."""
    return may_change_tags(operator) or (bulk.operator_id == operator.pk and may_tag(operator))


def may_edit_contacts(operator: Operator) -> bool:
    """Return whether the operator may add, change and delete contacts."""
    return _has(operator, "edit_contacts")


def may_allow_calling(operator: Operator) -> bool:
    """Return whether the operator may remove the mark “do not call”."""
    return _has(operator, "allow_calling")


def may_delete_contact(operator: Operator, contact: Contact) -> bool:
    """Return whether the operator may delete this contact, and with it its mark “do not call”."""
    return may_edit_contacts(operator) and (not contact.do_not_call or may_allow_calling(operator))


def may_edit_routines(operator: Operator) -> bool:
    """Return whether the operator may write and publish routines."""
    return _has(operator, "edit_routines")


def may_run_sync(operator: Operator) -> bool:
    """Return whether the operator may start and pause the sync."""
    return _has(operator, "run_sync")


def may_see_addresses(operator: Operator) -> bool:
    """Return whether the operator may see the addresses that Sift calls back."""
    return _has(operator, "see_addresses")


def may_see_actions(operator: Operator) -> bool:
    """Return whether the operator may read the audit log."""
    return _has(operator, "view_action")


def check_may_place(operator: Operator) -> None:
    """Raise `PermissionDenied` for an operator who may not place calls."""
    _check(may_place(operator), "You may not place calls.")


def check_may_steer(operator: Operator, connection: Connection) -> None:
    """Raise `PermissionDenied` for an operator who may not steer this call."""
    _check(may_steer(operator, connection), "You may not steer this call.")


def check_may_clear(operator: Operator) -> None:
    """Raise `PermissionDenied` for an operator who may not clear calls that Sift does not know."""
    _check(may_steer_any(operator), "A supervisor clears calls that Sift does not know.")


def check_may_settle(operator: Operator, request: CallRequest) -> None:
    """Raise `PermissionDenied` for an operator who may not settle the outcome of this request."""
    _check(may_settle(operator, request), "You may not settle this request.")


def check_may_write_notes(operator: Operator) -> None:
    """Raise `PermissionDenied` for an operator who may not write notes."""
    _check(may_write_notes(operator), "You may not write notes.")


def check_may_change_note(operator: Operator, note: Note) -> None:
    """Raise `PermissionDenied` for an operator who may not change this note."""
    _check(may_change_note(operator, note), "The author of a note, or a supervisor, may change it.")


def check_may_tag(operator: Operator) -> None:
    """Raise `PermissionDenied` for an operator who may not tag calls."""
    _check(may_tag(operator), "You may not tag calls.")


def check_may_make_tags(operator: Operator) -> None:
    """Raise `PermissionDenied` for an operator who may not make tags."""
    _check(may_make_tags(operator), TAGS_ARE_SUPERVISED)


def check_may_change_tags(operator: Operator) -> None:
    """Raise `PermissionDenied` for an operator who may not change tags."""
    _check(may_change_tags(operator), TAGS_ARE_SUPERVISED)


def check_may_delete_tags(operator: Operator) -> None:
    """Raise `PermissionDenied` for an operator who may not delete tags."""
    _check(may_delete_tags(operator), TAGS_ARE_SUPERVISED)


def check_may_edit_contacts(operator: Operator) -> None:
    """Raise `PermissionDenied` for an operator who may not change contacts."""
    _check(may_edit_contacts(operator), "You may not change contacts.")


def check_may_import_contacts(operator: Operator) -> None:
    """Raise `PermissionDenied` for an operator who may not import contacts."""
    _check(_has(operator, "import_contacts"), "You may not import contacts.")


def _has(operator: Operator, permission: str) -> bool:
    return operator.has_perm(f"connections_app.{permission}")


def _check(is_allowed: bool, refusal: str) -> None:
    if not is_allowed:
        raise PermissionDenied(refusal)


def _is_theirs(operator: Operator, connection: Connection) -> bool:
    """Return whether the operator placed the call, or has their browser client on it. One query."""
    with database.cursor() as cursor:
        cursor.execute(IS_THEIRS, {"call": connection.pk, "operator": operator.pk})
        return bool(cursor.fetchone()[0])
