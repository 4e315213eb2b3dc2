"""A call that Sift may not know any more: asked about now, and cleared by a supervisor."""

from collections.abc import Callable

import pytest
from django.test import Client

from connections_app.calls.ingest import doubt, ingest
from connections_app.models import Action, Connection, Doubt, Operator, Role, Source, Status
from connections_app.sift.payloads import parse_rows
from tests.conftest import Sandbox
from tests.control.conftest import page

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

HTMX = {"HX-Request": "true"}


@pytest.fixture
def live(sandbox: Sandbox) -> Connection:
    """A live call, of which Sift knows."""
    rows = sandbox.add({"status": "connected", "from": "+14155550123", "to": "webrtc:kofi"})
    ingest(parse_rows(rows)[0], Source.LIST)
    return Connection.objects.get(connection_id=rows[0]["connection_id"])


@pytest.fixture
def ghost(sandbox: Sandbox, live: Connection) -> Connection:
    """The same, which Sift has forgotten, as is known here."""
    sandbox.forget(live.connection_id)
    doubt(live, Doubt.UNCONFIRMED, Source.RETRIEVE)
    live.refresh_from_db()
    return live


@pytest.fixture
def rosa(client: Client, make_operator: Callable[..., Operator]) -> Client:
    """A supervisor's browser."""
    client.force_login(make_operator("rosa", Role.SUPERVISOR))
    return client


def test_checking_brings_what_sift_says_now(rosa: Client, live: Connection, sandbox: Sandbox) -> None:
    sandbox.change(live.connection_id, status="finished", end_time="2026-11-24T13:00:00Z")
    assert "Sift says: finished." in page(rosa, rosa.post(f"/calls/{live.connection_id}/check/"))
    live.refresh_from_db()
    assert live.status == Status.FINISHED


def test_checking_clears_a_doubt_that_was_wrong(rosa: Client, live: Connection) -> None:
    doubt(live, Doubt.UNCONFIRMED, Source.RETRIEVE)
    answer = rosa.post(f"/calls/{live.connection_id}/check/", headers=HTMX)
    assert "Sift says: connected." in answer.content.decode()
    live.refresh_from_db()
    assert live.doubt == Doubt.NONE


def test_checking_a_call_that_sift_does_not_know_says_so(rosa: Client, ghost: Connection) -> None:
    answer = rosa.post(f"/calls/{ghost.connection_id}/check/", headers=HTMX)
    assert "Sift does not know this call." in answer.content.decode()
    ghost.refresh_from_db()
    assert ghost.doubt == Doubt.UNCONFIRMED


def test_an_answer_that_cannot_be_used_is_not_taken_for_one(
    rosa: Client, live: Connection, sandbox: Sandbox
) -> None:
    sandbox.change(live.connection_id, status="dancing")
    answer = rosa.post(f"/calls/{live.connection_id}/check/", headers=HTMX)
    assert "answer cannot be used" in answer.content.decode()


def test_a_call_that_was_cleared_stays_cleared_until_sift_speaks_of_it(
    rosa: Client, ghost: Connection, sandbox: Sandbox
) -> None:
    rosa.post(f"/calls/{ghost.connection_id}/clear/")
    doubt(ghost, Doubt.UNCONFIRMED, Source.RETRIEVE)
    ghost.refresh_from_db()
    assert ghost.doubt == Doubt.LOST
    observed = {"connection_id": ghost.connection_id, "status": "connected"}
    ingest(parse_rows([observed])[0], Source.LIST)
    ghost.refresh_from_db()
    assert ghost.doubt == Doubt.NONE


def test_without_scripts_clearing_needs_a_confirmation(rosa: Client, ghost: Connection) -> None:
    assert b"off the board?" in rosa.get(f"/calls/{ghost.connection_id}/clear/").content
    ghost.refresh_from_db()
    assert ghost.doubt == Doubt.UNCONFIRMED


def test_checking_while_sift_does_not_answer_changes_nothing(
    rosa: Client, live: Connection, sandbox: Sandbox
) -> None:
    sandbox.faults({"kind": "status", "on": "retrieve", "status": 500})
    answer = rosa.post(f"/calls/{live.connection_id}/check/", headers=HTMX)
    assert "Sift did not answer" in answer.content.decode()
    live.refresh_from_db()
    assert (live.status, live.doubt) == (Status.CONNECTED, Doubt.NONE)


def test_a_supervisor_clears_a_ghost_on_record(rosa: Client, ghost: Connection) -> None:
    rosa.post(f"/calls/{ghost.connection_id}/clear/")
    ghost.refresh_from_db()
    assert (ghost.status, ghost.doubt, ghost.ended_at) == (Status.CONNECTED, Doubt.LOST, None)
    action = Action.objects.get()
    assert (action.actor, action.verb, action.connection_id) == ("rosa", "clear", ghost.connection_id)
    assert "A person cleared it" in rosa.get(ghost.get_absolute_url()).content.decode()


def test_a_call_that_sift_confirms_is_not_cleared(rosa: Client, live: Connection) -> None:
    assert "It is not unconfirmed any more." in page(rosa, rosa.post(f"/calls/{live.connection_id}/clear/"))
    live.refresh_from_db()
    assert live.doubt == Doubt.NONE
    assert not Action.objects.exists()


def test_an_operator_clears_not_even_their_own(
    client: Client, ghost: Connection, make_operator: Callable[..., Operator]
) -> None:
    client.force_login(make_operator("kofi", Role.OPERATOR, client_name="kofi"))
    assert client.post(f"/calls/{ghost.connection_id}/check/").status_code == 303
    assert client.post(f"/calls/{ghost.connection_id}/clear/").status_code == 403
    ghost.refresh_from_db()
    assert ghost.doubt == Doubt.UNCONFIRMED


def test_what_is_stale_is_read_again_before_it_is_hung_up(
    rosa: Client, live: Connection, sandbox: Sandbox
) -> None:
    sandbox.change(live.connection_id, status="finished", end_time="2026-11-24T13:00:00Z")
    rosa.post(f"/calls/{live.connection_id}/hangup/", {"stale": "1"})
    live.refresh_from_db()
    assert live.status == Status.FINISHED
    assert sandbox.routines_set(live.connection_id) == []
