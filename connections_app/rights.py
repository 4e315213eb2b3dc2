"""Who may place calls, and steer which."""

from django.core.exceptions import PermissionDenied

from connections_app.models import CallRequest, Connection, Operator
from connections_app.models.sending import CLIENT


def may_place(operator: Operator) -> bool:
    return operator.has_perm("connections_app.place_call")


def may_steer(operator: Operator, connection: Connection) -> bool:
    """Supervisors steer every call; operators those that they placed or that involve their client name."""
    if operator.has_perm("connections_app.steer_any_call"):
        return True
    return may_place(operator) and (
        is_on_the_line(operator, connection)
        or CallRequest.objects.filter(connection=connection, operator=operator).exists()
    )


def may_settle(operator: Operator, request: CallRequest) -> bool:
    """Who may say what became of a request: who made it, and supervisors."""
    return operator.has_perm("connections_app.steer_any_call") or (
        may_place(operator) and request.operator_id == operator.pk
    )


def check_may_place(operator: Operator) -> None:
    """Raises `PermissionDenied`."""
    if not may_place(operator):
        raise PermissionDenied("You may not place calls.")


def check_may_steer(operator: Operator, connection: Connection) -> None:
    """Raises `PermissionDenied`."""
    if not may_steer(operator, connection):
        raise PermissionDenied("You may not steer this call.")


def check_may_clear(operator: Operator) -> None:
    """Raises `PermissionDenied`."""
    if not operator.has_perm("connections_app.steer_any_call"):
        raise PermissionDenied("A supervisor clears calls that Sift does not know.")


def is_on_the_line(operator: Operator, connection: Connection) -> bool:
    """Whether the call is from or to the operator's own browser client."""
    own = f"{CLIENT}{operator.client_name}".lower() if operator.client_name else None
    return own is not None and own in {
        (end or "").lower() for end in (connection.from_endpoint, connection.to_endpoint)
    }
