"""Calls that were placed, and Sift calling back about them, in this process."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.db import connection as database
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from connections_app.calls import scripts
from connections_app.calls.ingest import ingest
from connections_app.calls.scripts import Made, ScriptRequest
from connections_app.models import (
    Callback,
    CallRequest,
    Connection,
    Operator,
    Origin,
    Outcome,
    Push,
    Role,
    Routine,
    RoutineVersion,
    Source,
    Status,
)
from connections_app.sift import routine as routines
from connections_app.sift.payloads import parse_rows

Body = dict[str, Any]
Commands = list[dict[str, Any]]

NUMBER = "+14155550142"
SAY: Commands = [{"name": "Say", "text": "Hello"}]
ASK: Commands = [{"name": "GetDigits", "count": 1}]
DIAL: Commands = [{"name": "CallPhone", "phone_number": "+14155550199", "do_record": False}]
MOST_STATEMENTS = 4


@dataclass
class Sift:
    """Calls back as Sift does, and checks that each answer costs few statements, in one transaction."""

    client: Client = field(default_factory=Client)

    def status(self, token: str, body: Any) -> HttpResponse:
        return self.post("hook_status", token, body)

    def done(self, token: str, body: Any) -> HttpResponse:
        return self.post("hook_done", token, body)

    def incoming(self, token: str, body: Any) -> HttpResponse:
        return self.post("hook_incoming", token, body)

    def post(self, hook: str, token: str, body: Any) -> HttpResponse:
        """Post `body`, bytes as they are and anything else as JSON."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        with few_statements():
            address = reverse(hook, kwargs={"token": token})
            return self.client.post(address, raw, content_type="application/json")  # type: ignore[return-value]


@contextmanager
def few_statements() -> Iterator[None]:
    """Of one transaction: what was rolled back, because something else was faster, counts by itself."""
    with CaptureQueriesContext(database) as captured:
        yield
    statements: list[str] = []
    for sql in (one["sql"] for one in captured):
        if sql.startswith("ROLLBACK"):
            statements.clear()
        elif not is_about_a_transaction(sql):
            statements.append(sql)
            assert len(statements) <= MOST_STATEMENTS, "\n\n".join(statements)


def is_about_a_transaction(sql: str) -> bool:
    return sql.startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE SAVEPOINT"))


@pytest.fixture
def sift() -> Sift:
    return Sift()


@pytest.fixture
def supervisor(db: None) -> Operator:
    """Without a password: to make one takes long."""
    operator = Operator.objects.create(username="sam")
    operator.groups.add(Group.objects.get(name=Role.SUPERVISOR))
    return operator


def told(status: str, connection_id: str = "c1", **fields: Any) -> Body:
    """A callback's body, as Sift writes it."""
    connection = {"connection_id": connection_id, "status": status, "to": NUMBER, **fields}
    return {"account_id": "acct", "connection": connection}


def wanted(commands: Commands) -> ScriptRequest:
    checked = routines.check(commands)
    assert not checked.problems
    return ScriptRequest(checked, routines.preview(checked))


def placed(commands: Commands | ScriptRequest | None = None, **fields: Any) -> CallRequest:
    """A request to place a call that Sift took, with a routine or without."""
    what = wanted(commands) if isinstance(commands, list) else commands
    made = scripts.make(what, Origin.PLACED) if what else None
    given = {
        "request_id": uuid4(),
        "phone_number": NUMBER,
        "operator_name": "ana",
        "deadline": timezone.now() + timedelta(seconds=30),
        "outcome": Outcome.ACCEPTED,
        "script_id": made.pk if made else None,
    }
    return CallRequest.objects.create(**(given | fields))


def known(status: str = "connecting", connection_id: str = "c1", **fields: Any) -> Connection:
    """A call that Sift's list has told of."""
    row = {"connection_id": connection_id, "status": status, "to": NUMBER, **fields}
    ingest(parse_rows([row])[0], Source.LIST)
    return call(connection_id)


def pushed(
    connection: Connection,
    commands: Commands = SAY,
    outcome: Outcome = Outcome.SENDING,
    kind: Push.Kind = Push.Kind.ROUTINE,
) -> Made:
    """A routine sent to a live call, as it is written down before Sift is asked."""
    origin = Origin.HANG_UP if kind == Push.Kind.HANG_UP else Origin.PUSHED
    made = scripts.make_for(connection, wanted(commands), origin)
    Push.objects.create(
        request_id=uuid4(),
        operator_name="ana",
        deadline=timezone.now() + timedelta(seconds=30),
        kind=kind,
        connection=connection,
        script_id=made.pk,
        outcome=outcome,
    )
    return made


def saved(name: str, commands: Commands) -> Routine:
    """A routine in the library, published."""
    routine = Routine.objects.create(name=name, changed_by="sam")
    publish(routine, commands)
    return routine


def publish(routine: Routine, commands: Commands) -> None:
    version = RoutineVersion.objects.create(
        routine=routine, number=routine.versions.count() + 1, commands=commands, author="sam"
    )
    routine.published = version
    routine.save()


def call(connection_id: str = "c1") -> Connection:
    return Connection.objects.get(connection_id=connection_id)


def status_of(connection_id: str = "c1") -> Status:
    return Status(call(connection_id).status)


def kept() -> list[Callback]:
    return list(Callback.objects.order_by("pk"))


def answer(response: HttpResponse) -> Any:
    """The answer to a callback that was taken."""
    assert response.status_code == 200, response.content
    return json.loads(response.content)


def refusal(response: HttpResponse) -> tuple[int, str]:
    return response.status_code, json.loads(response.content)["error"]
