"""What the tests of people share: an administrator who is signed in."""

import pytest
from django.test import Client

from connections_app.models import Operator
from connections_app.people.roles import make_administrator


@pytest.fixture
def admin(client: Client) -> Client:
    """A client that is signed in as an administrator."""
    operator = Operator(username="root")
    make_administrator(operator)
    client.force_login(operator)
    return client
