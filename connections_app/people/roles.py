"""The four roles: each is a Django group, whose permissions a migration grants."""

from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction

from connections_app.models import Operator, Role

# These roles may open the admin, and see there what their permissions allow.
STAFF_ROLES = (Role.SUPERVISOR, Role.ADMINISTRATOR)


def set_staff_by_role(action: str, instance: Any, pk_set: set[int] | None, **_: Any) -> None:
    """Set `is_staff` after a change of roles: the role decides, or being a superuser."""
    if not action.startswith("post_"):
        return
    people = [instance] if isinstance(instance, Operator) else Operator.objects.filter(pk__in=pk_set or ())
    for operator in people:
        held = operator.groups.filter(name__in=STAFF_ROLES).exists()
        operator.is_staff = operator.is_superuser or held
        Operator.objects.filter(pk=operator.pk).update(is_staff=operator.is_staff)


def open_admin_to_superusers(instance: Operator, **_: Any) -> None:
    """Set `is_staff` on a superuser."""
    instance.is_staff = instance.is_staff or instance.is_superuser


@transaction.atomic
def make_administrator(operator: Operator) -> None:
    """Save `operator` as an administrator, who may open the admin and everything in it."""
    operator.is_superuser = True
    operator.save()
    operator.groups.add(Group.objects.get(name=Role.ADMINISTRATOR))


def role_of(operator: Operator) -> str:
    """Return the name of the highest role of `operator`; empty without a role. One query."""
    held = set(operator.groups.values_list("name", flat=True))
    return next((str(role.label) for role in reversed(Role) if role in held), "")
