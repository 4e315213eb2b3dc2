"""An export that is sent while it is read: whole, one of few, and gone with its reader."""

from contextlib import aclosing
from unittest.mock import patch

import pytest
from django.db import connection as database

from connections_app.history import copying, streaming
from connections_app.history.export import Asked, Format
from tests.conftest import in_a_loop, wait_until
from tests.history.exported import EVERY, written
from tests.history.test_pages import many

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

ASKED = Asked("status=finished", Format.CSV, EVERY, "Europe/Berlin")


def open_connections() -> int:
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '%export'")
        return int(cursor.fetchone()[0])


async def sent() -> bytes:
    return b"".join([piece async for piece in await streaming.begun(ASKED)])


def test_it_is_what_is_read_in_any_other_way() -> None:
    many(60)
    with patch.object(copying, "ROWS", 7):
        assert in_a_loop(sent()) == written("status=finished")
    assert streaming.running == 0


def test_there_are_few_at_once() -> None:
    with patch.object(streaming, "MOST", 0), pytest.raises(streaming.Busy):
        in_a_loop(sent())


def test_its_connection_goes_with_its_reader() -> None:
    many(20)

    async def leave() -> None:
        async with aclosing(await streaming.begun(ASKED)) as pieces:
            await anext(pieces)
            assert streaming.running == 1

    with patch.object(copying, "ROWS", 3):
        in_a_loop(leave())
    assert streaming.running == 0
    wait_until(lambda: open_connections() == 0)
