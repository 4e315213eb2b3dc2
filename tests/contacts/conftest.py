"""What the tests of contacts share: people who may change them, and contacts to begin with."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from connections_app.models import Contact, Operator, Role

ANA = "+14155550142"
MakeOperator = Callable[..., Operator]


@pytest.fixture
def operator(make_operator: MakeOperator) -> Operator:
    return make_operator("olga", Role.OPERATOR)


@pytest.fixture
def supervisor(make_operator: MakeOperator) -> Operator:
    return make_operator("sam", Role.SUPERVISOR)


@pytest.fixture
def olga(client: Client, operator: Operator) -> Client:
    """A client that is signed in as an operator."""
    client.force_login(operator)
    return client


@pytest.fixture
def sam(client: Client, supervisor: Operator) -> Client:
    """A client that is signed in as a supervisor."""
    client.force_login(supervisor)
    return client


def made(name: str = "Ana Lima", endpoint: str = ANA, **fields: Any) -> Contact:
    return Contact.objects.create(name=name, endpoint=endpoint, changed_by="ben", **fields)


def typed(contact: Contact | None = None, **fields: Any) -> dict[str, Any]:
    """A form as a person sends it in: that of `contact`, or of a new one."""
    given = {"endpoint": ANA, "name": "Ana Lima", "notes": "", "revision": 0}
    if contact:
        given = {name: getattr(contact, name) for name in given}
        if contact.do_not_call:
            given["do_not_call"] = "on"
    return given | fields
