"""Valkey and the database go away while people watch, and come back: streams say so, and miss nothing."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.conf import settings
from django.db import OperationalError
from django.db import connection as database

from connections_app.engines import valkey as valkey_engine
from connections_app.models import Operator
from launch.valkey import Valkey
from tests.conftest import database_url, wait_until
from tests.control.conftest import account, running_dashboard
from tests.factories import seen
from tests.live.conftest import NOBODY, Stream, cookie_of, row_of

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def stream(make_operator: Callable[..., Operator], valkey: Valkey) -> Iterator[Stream]:
    """A stream from a web process that listens to that server, with one call on the board."""
    operator = make_operator("ana")
    with running_dashboard(account(NOBODY) | {"REDIS_URL": valkey.have()}) as dashboard:
        stream = Stream(dashboard, cookie_of(operator)).open()
        stream.next("snapshot")
        yield stream
        stream.close()


def begin(connection_id: str) -> None:
    seen({"connection_id": connection_id, "status": "connected"})


def is_reached() -> bool:
    database.close()
    try:
        database.ensure_connection()
    except OperationalError:
        return False
    return True


def test_valkey_goes_away_and_comes_back(stream: Stream, valkey: Valkey) -> None:
    valkey.stop()
    stale = stream.until(lambda told: told["stale"], "heartbeat")["stale"]
    assert "Valkey does not answer" in stale["words"]
    # It comes late, but it comes.
    begin("a1")
    assert stream.until(lambda told: row_of(told, "a1"), "calls")
    valkey.have()
    assert stream.until(lambda told: told["stale"] is None, "heartbeat")


def test_the_database_goes_away_and_comes_back(stream: Stream) -> None:
    name = database.settings_dict["NAME"]
    with psycopg.connect(database_url().replace(f"/{name}", "/postgres"), autocommit=True) as server:
        server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        try:
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> %s",
                [name, database.connection.info.backend_pid],
            )
            stale = stream.until(lambda told: told["stale"], "heartbeat")["stale"]
            assert stale["words"] == "The database does not answer."
        finally:
            server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
            # This process's own pool was cut off as well, and pauses between its tries.
            wait_until(is_reached, 30)
    begin("a1")
    assert stream.until(lambda told: row_of(told, "a1"), "calls")
    assert stream.until(lambda told: told["stale"] is None, "heartbeat")


def test_who_changes_a_call_does_not_wait_for_valkey(monkeypatch: pytest.MonkeyPatch, valkey: Valkey) -> None:
    monkeypatch.setattr(settings, "REDIS_URL", valkey.have())
    valkey_engine.publisher.cache_clear()
    valkey.stop()
    begin("a1")
    wait_until(lambda: valkey_engine.server.is_open)
    valkey.have()
    wait_until(lambda: not valkey_engine.server.is_open)
    valkey_engine.publisher.cache_clear()
