"""What the tests of routines share: people who may write them, and routines to begin with."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from connections_app.models import Operator, Role, Routine, UsedBy
from connections_app.routines import library
from connections_app.routines.library import Actor, RoutineDraft

HELLO = [{"name": "Say", "text": "Hello"}, {"name": "HangUp"}]
MakeRoutine = Callable[..., Routine]


@pytest.fixture
def supervisor(make_operator: Callable[..., Operator]) -> Operator:
    return make_operator("sam", Role.SUPERVISOR)


@pytest.fixture
def writer(client: Client, supervisor: Operator) -> Client:
    """A client that is signed in as a supervisor, sam."""
    client.force_login(supervisor)
    return client


@pytest.fixture
def make_routine(supervisor: Operator) -> MakeRoutine:
    """A routine of sam's; its commands are published, unless they are only a draft."""

    def make(
        name: str = "Greeting", commands: Any = HELLO, *, publish: bool = True, **fields: Any
    ) -> Routine:
        typed = RoutineDraft(name, "", fields.pop("used_by", UsedBy.OPERATORS), json.dumps(commands), 0)
        who = Actor(supervisor)
        kept = (
            library.publish(None, typed, "First", who).routine if publish else library.save(None, typed, who)
        )
        Routine.objects.filter(pk=kept.pk).update(**fields)
        return Routine.objects.get(pk=kept.pk)

    return make
