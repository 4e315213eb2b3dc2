"""The four roles: each is a Django group, and what it may do comes with a migration."""

from django.contrib.auth.models import Group
from django.db import transaction

from connections_app.models import Operator, Role


@transaction.atomic
def make_administrator(operator: Operator) -> None:
    """Save `operator` as an administrator, who may open the admin and everything in it."""
    operator.is_staff = True
    operator.is_superuser = True
    operator.save()
    operator.groups.add(Group.objects.get(name=Role.ADMINISTRATOR))


def role_of(operator: Operator) -> str:
    """The highest role of `operator` as its name; empty when it has none. One query."""
    held = set(operator.groups.values_list("name", flat=True))
    return next((str(role.label) for role in reversed(Role) if role in held), "")
