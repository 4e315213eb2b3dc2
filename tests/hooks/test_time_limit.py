"""A callback that the database holds up is answered 503, and what it did is rolled back or made good."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse

import pytest
from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from connections_app.control import watching
from connections_app.models import CallRequest, Connection, Script
from tests.conftest import wait_until
from tests.hooks.conftest import DIAL, SAY, Commands, kept, placed, told
from tests.hooks.test_burst import Web, address, held_up, web

__all__ = ["web"]

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

COMMITS = 4711  # the advisory lock that each COMMIT of a callback waits for
WAITS_AT_COMMIT = f"""
    CREATE FUNCTION wait_at_commit() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared({COMMITS}); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER wait_at_commit AFTER INSERT ON connections_app_callback
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_at_commit();
"""
WAITING = "FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'"


def post(web: Web, request: CallRequest) -> tuple[HTTPResponse, object]:
    connection = web.connect()
    connection.request("POST", address(request), json.dumps(told("connected")).encode())
    answered = connection.getresponse()
    return answered, json.loads(answered.read())


def test_one_that_is_held_up_is_refused_and_rolled_back(web: Web) -> None:
    request = placed(DIAL)
    with held_up():
        answered, _ = post(web, request)
        assert (answered.status, answered.headers["Retry-After"]) == (503, "1")
    answered, body = post(web, request)
    assert (answered.status, body) == (200, {"routine": DIAL})
    assert [one.times for one in kept()] == [1]


@contextmanager
def commits_that_hang() -> Iterator[None]:
    """No callback can be committed meanwhile."""
    with database.cursor() as cursor:
        cursor.execute(WAITS_AT_COMMIT)
    try:
        with transaction.atomic(), database.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [COMMITS])
            yield
    finally:
        with database.cursor() as cursor:
            cursor.execute("DROP FUNCTION wait_at_commit CASCADE")


@pytest.mark.parametrize("commands", [SAY, DIAL])
@pytest.mark.parametrize("is_committed", [True, False])
def test_a_script_whose_commit_hung_is_given_again_unless_it_dials(
    web: Web, commands: Commands, is_committed: bool
) -> None:
    request = placed(commands)
    with commits_that_hang():
        answered, _ = post(web, request)
        assert (answered.status, answered.headers["Retry-After"]) == (503, "1")
        if not is_committed:
            with database.cursor() as cursor:
                cursor.execute(f"SELECT pg_terminate_backend(pid) {WAITING}")
    wait_until(lambda: [one.status for one in kept()] == [503])
    assert ("unknown" in str(kept()[0].answer)) == (commands == DIAL)
    Connection.objects.update(changed_at=timezone.now() - watching.GRACE)
    script = Script.objects.get()
    assert script.settled_at is None if commands == SAY else script.settled_at
    assert len(watching._waiting(timezone.now())) == (1 if is_committed and commands == SAY else 0)
    answered, body = post(web, request)
    assert (answered.status, body) == (200, {} if commands == DIAL else {"routine": SAY})
