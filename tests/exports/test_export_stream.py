"""An export that is sent while it is read: whole, one of few, and gone with its reader."""

import socket
from collections.abc import Callable
from contextlib import aclosing
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

import pytest
import requests
from django.conf import settings
from django.db import connection as database
from django.test import AsyncClient, Client
from pytest_django.asserts import assertRedirects

from connections_app.exports import copying, streaming
from connections_app.exports.writing import ExportRequest, Format
from connections_app.models import Action, Connection, Operator
from tests.conftest import in_a_loop, wait_until
from tests.control.conftest import Dashboard, account, running_dashboard
from tests.exports.exported import EVERY, body_of, written
from tests.factories import generated, many, seen
from tests.live.conftest import session_of

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

FORM = {"csrfmiddlewaretoken": "x" * 32, "query": "", "format": "csv"}
ASKED = ExportRequest("status=finished", Format.CSV, EVERY, "Europe/Berlin")


def open_connections() -> int:
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '%export'")
        return int(cursor.fetchone()[0])


async def sent() -> bytes:
    return b"".join([piece async for piece in await streaming.start(ASKED)])


def test_it_is_what_is_read_in_any_other_way() -> None:
    many(60)
    with patch.object(copying, "ROWS_PER_PIECE", 7):
        assert in_a_loop(sent()) == written("status=finished")
    assert streaming.running == 0


def test_there_are_few_at_once() -> None:
    with patch.object(streaming, "MAX_STREAMS", 0), pytest.raises(streaming.Busy):
        in_a_loop(sent())


def test_its_connection_goes_with_its_reader() -> None:
    many(20)

    async def leave() -> None:
        async with aclosing(await streaming.start(ASKED)) as pieces:
            await anext(pieces)
            assert streaming.running == 1

    with patch.object(copying, "ROWS_PER_PIECE", 3):
        in_a_loop(leave())
    assert streaming.running == 0
    wait_until(lambda: open_connections() == 0)


@pytest.fixture
def ana(make_operator: Callable[..., Operator]) -> Operator:
    return make_operator("ana", time_zone="Europe/Berlin")


def asked(operator: Operator, **form: str) -> tuple[Any, bytes]:
    """The answer to `operator`, and its body."""
    client = AsyncClient()
    client.force_login(operator)

    async def ask() -> tuple[Any, bytes]:
        answer = await client.post("/calls/export/", {"query": "", "format": "csv"} | form)
        return answer, await body_of(answer)

    return in_a_loop(ask())


def test_what_the_list_shows_is_downloaded_on_record(ana: Operator) -> None:
    many(130)
    query = "status=finished&since=2026-05-01&until=2026-05-02&sort=oldest"
    answer, body = asked(ana, query=query)
    assert body == written(query)
    assert answer["Content-Disposition"] == 'attachment; filename="calls_2026-05-01_2026-05-02.csv"'
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    action = Action.objects.get()
    assert (action.actor, action.verb, action.outcome) == ("ana", "export", "Sent 108 calls.")
    assert (action.payload["query"], action.payload["calls"]) == (query, 108)


def test_a_column_that_is_hidden_is_left_out_but_not_the_id(ana: Operator) -> None:
    many(3)
    ana.hidden_columns = {"calls": ["since", "from", "tags"]}
    ana.save()
    _, body = asked(ana)
    shown = [name for name in EVERY if name not in ("since", "from", "tags")]
    assert body == written(columns=shown)
    heading = body.decode("utf-8-sig").splitlines()[0]
    assert heading.startswith("Call id,Status,With,")
    assert "From" not in heading


def test_json_lines_are_downloaded_in_utc(ana: Operator) -> None:
    many(3)
    answer, body = asked(ana, format="ndjson")
    assert body == written(format=Format.NDJSON)
    assert answer["Content-Disposition"].endswith('.ndjson"')


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ({"query": "since=banana"}, "Enter a date as 2026-05-31"),
        ({"query": "statuss=failed"}, "“statuss” is not a filter of the list of calls."),
        ({"format": "xls"}, "Choose CSV or JSON lines."),
    ],
)
def test_what_is_not_understood_is_refused_with_the_reason(
    ana: Operator, form: dict[str, str], reason: str
) -> None:
    many(3)
    answer, body = asked(ana, **form)
    assert answer.status_code == 400
    assert reason in body.decode()
    assert not Action.objects.exists()


def test_a_request_when_all_are_taken_gets_503_and_when_to_try_again(ana: Operator) -> None:
    many(3)
    with patch.object(streaming, "MAX_STREAMS", 0):
        answer, body = asked(ana)
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert b"Try again in a few seconds." in body
    assert not Action.objects.exists()


def test_the_call_whose_id_is_export_has_its_page(client: Client, ana: Operator) -> None:
    client.force_login(ana)
    assertRedirects(client.get("/calls/export/"), "/calls/", fetch_redirect_response=False)
    seen({"connection_id": "export"})
    one = Connection.objects.get()
    assert client.get(one.get_absolute_url()).context["call"] == one


def test_over_http_it_comes_in_parts_that_are_not_packed(ana: Operator) -> None:
    many(60)
    with running_dashboard(account("https://unused.example/v0")) as dashboard:
        answer = person(ana).post(f"{dashboard.address}/calls/export/", FORM)
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert answer.headers["Content-Encoding"] == "identity"
    assert answer.content == written()


def test_a_reader_that_leaves_frees_its_place(ana: Operator) -> None:
    """Of more places than there are, each is left in the middle; the next one still finds one."""
    generated(30_000)
    with running_dashboard(account("https://unused.example/v0")) as dashboard:
        for _ in range(streaming.MAX_STREAMS + 2):
            leave_in_the_middle(dashboard, ana)
        wait_until(lambda: open_connections() == 0)
        answer = person(ana).post(f"{dashboard.address}/calls/export/", FORM)
    assert answer.content.count(b"\r\n") == 30_001


def leave_in_the_middle(dashboard: Dashboard, operator: Operator) -> None:
    """Take a little of what is sent and hang up, while the sending waits for more to be taken."""
    host, port = dashboard.address.removeprefix("http://").split(":")
    body = urlencode(FORM).encode()
    with socket.socket() as sending:
        sending.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sending.connect((host, int(port)))
        head = (
            f"POST /calls/export/ HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nCookie: "
            f"sessionid={session_of(operator)}; csrftoken={FORM['csrfmiddlewaretoken']}\r\n\r\n"
        )
        sending.sendall(head.encode() + body)
        assert sending.recv(2000).startswith(b"HTTP/1.1 200")
        wait_until(lambda: open_connections() > 0)


def person(operator: Operator) -> requests.Session:
    session = requests.Session()
    session.cookies.set(settings.SESSION_COOKIE_NAME, session_of(operator))
    session.cookies.set("csrftoken", FORM["csrfmiddlewaretoken"])
    return session
