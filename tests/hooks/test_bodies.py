"""Whatever is posted to the callbacks' addresses: it is taken whole or refused with a reason, and kept."""

import json
import logging
import os
import re
import subprocess
import sys
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from connections_app.models import CallRequest, Connection, Operator, new_token
from connections_app.sync.account import claim
from connections_app.web.callback_urls import status_address
from sift_dashboard.logs import WithoutTokens
from tests.hooks.conftest import (
    ASK,
    SAY,
    Sift,
    answer,
    call,
    kept,
    placed,
    refusal,
    status_of,
    told,
)

pytestmark = pytest.mark.django_db

LARGEST = 256 * 1024
HOOKS = ("hook_status", "hook_incoming", "hook_done")
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


@pytest.mark.parametrize(
    "body",
    [
        told("connected"),
        told("connected")["connection"],
        {"connection_id": "c1", "status": "connected"},
        {"account_id": "acct", "connection_id": "c1", "status": "connected"},
        told("connected") | {"more": {"than": "we know"}},
    ],
    ids=["whole", "bare", "id and status", "bare with account", "unknown fields"],
)
def test_each_form_that_sift_may_use_is_understood(sift: Sift, body: Any) -> None:
    assert answer(sift.status(placed(SAY).token, body)) == {"routine": SAY}
    assert status_of() == "connected"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b'{"connection": {"connection_id": "c1", "status": "conn',
        b"\xff\xfe\x00",
        b"connection_id=c1&status=connected",
        [],
        [told("connected")],
        "connected",
        None,
        7,
        {},
        {"connection": None},
        {"connection": []},
        {"connection": "c1"},
        {"connection": {"status": "connected"}},
        {"connection": {"connection_id": "", "status": "connected"}},
        {"connection": {"connection_id": 7, "status": "connected"}},
        {"connection": {"connection_id": ["c1"], "status": "connected"}},
        told("connected", "."),
        told("connected", "a/b"),
        told("connected", "x" * 256),
        told("ringing"),
        {"connection": {"connection_id": "c1"}},
        {"connection": {"connection_id": "c1", "status": None}},
        {"connection": {"connection_id": "c1", "status": ["connected"]}},
        b'{"connection_id": "c1", "status": "connected", "client_data": ' + b"[" * 1000 + b"]" * 1000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 50_000,
    ],
    ids=lambda body: repr(body)[:60],
)
def test_what_cannot_be_understood_is_refused_with_a_reason_and_kept(sift: Sift, body: Any) -> None:
    request = placed(SAY)
    before = CallRequest.objects.values().get()
    status, reason = refusal(sift.status(request.token, body))
    assert (status, bool(reason)) == (400, True)
    assert not Connection.objects.exists()
    assert CallRequest.objects.values().get() == before
    (one,) = kept()
    assert (one.status, one.answer, one.call_request) == (400, {"error": reason}, request)
    assert answer(sift.status(request.token, told("connected"))) == {"routine": SAY}


def test_a_body_is_nested_a_hundred_deep_at_the_most(sift: Sift) -> None:
    request = placed()
    for depth, status in ((90, 200), (150, 400)):
        nested = b"[" * depth + b"]" * depth
        body = b'{"connection_id": "c1", "status": "connected", "client_data": ' + nested + b"}"
        assert sift.status(request.token, body).status_code == status
    assert kept()[-1].answer == {"error": "The body is nested too deeply."}


@pytest.mark.parametrize(
    ("body", "client_data"),
    [
        (rb'{"connection_id": "c1", "status": "connected", "client_data": "a\u0000b"}', "a\ufffdb"),
        (rb'{"connection_id": "c1", "status": "connected", "client_data": "a\ud800b"}', "a\ufffdb"),
        (rb'{"connection_id": "c1", "status": "connected", "client_data": {"\u0000": 1}}', {"\ufffd": 1}),
        (b'{"connection_id": "c1", "status": "connected", "client_data": [NaN, Infinity]}', [None, None]),
        (b'{"connection_id": "c1", "status": "connected", "client_data": 1e999}', None),
        (b'{"connection_id": "c1", "status": "connected", "client_data": ' + b"9" * 5000 + b"}", None),
        (b'{"connection_id": "c1", "status": "connected", "client_data": "\xed\xa0\x80"}', "\ufffd" * 3),
        (
            json.dumps(told("connected", client_data="<script>alert(1)</script>")).encode(),
            "<script>alert(1)</script>",
        ),
        (json.dumps(told("connected", client_data="😀" * 1000)).encode(), "😀" * 1000),
    ],
)
def test_what_no_database_can_hold_is_cleaned(sift: Sift, body: bytes, client_data: Any) -> None:
    answer(sift.status(placed().token, body))
    assert call().client_data == client_data


@pytest.mark.parametrize(
    "fields",
    [
        {"start_time": "0000-01-01T00:00:00Z", "end_time": "10000-01-01T00:00:00Z"},
        {"start_time": 7, "end_time": ["2026"], "direction": "sideways", "from": {}, "to": 5},
        {"start_time": "2026-02-30T00:00:00Z", "from": "x" * 501, "direction": None},
        {"start_time": "0001-01-01T00:00:00+14:00", "end_time": "9999-12-31T23:59:59-14:00"},
        {"start_time": "0001-01-01T00:00:00Z", "end_time": "9999-12-31T23:59:59Z"},
        {"start_time": "1999-12-31T23:59:59Z", "end_time": "2999-01-01T00:00:00Z"},
    ],
)
def test_odd_values_beside_a_usable_id_and_status_count_as_missing(
    sift: Sift, fields: dict[str, Any]
) -> None:
    answer(sift.status(placed().token, told("finished", **fields)))
    one = call()
    assert (one.started_at, one.ended_at, one.from_endpoint, one.direction) == (None, None, None, None)


def test_a_byte_order_mark_before_the_body_is_passed_over(sift: Sift) -> None:
    answer(sift.status(placed().token, b"\xef\xbb\xbf" + json.dumps(told("connected")).encode()))
    assert status_of() == "connected"


def test_the_largest_body_is_taken_and_one_byte_more_is_not(sift: Sift) -> None:
    request = placed()
    empty = len(json.dumps(told("connecting", client_data="")))
    body = json.dumps(told("connecting", client_data="x" * (LARGEST - empty))).encode()
    assert len(body) == LARGEST
    assert refusal(sift.status(request.token, body + b" ")) == (413, "The body is too large.")
    assert not kept()
    answer(sift.status(request.token, body))
    assert status_of() == "connecting"


@pytest.mark.parametrize("hook", HOOKS)
def test_a_wrong_token_is_not_found_and_keeps_nothing(sift: Sift, hook: str) -> None:
    claim()
    request = placed(ASK)
    for token in (new_token(), request.token[:-1] + "_" if request.token[-1] != "_" else new_token()):
        assert refusal(sift.post(hook, token, told("connecting"))) == (404, "Not found.")
    assert not kept()
    assert not Connection.objects.exists()


@pytest.mark.parametrize("path", ["", "short/", f"{'a' * 44}/", f"{'a' * 42}%00/", f"{'ü' * 43}/", "../"])
def test_what_is_no_token_is_not_found(client: Client, path: str) -> None:
    assert client.post(f"/hooks/sift/status/{path}").status_code == 404


def test_one_kind_of_token_opens_no_other_address(sift: Sift) -> None:
    account, request = claim(), placed(ASK)
    step = request.script.steps.get()  # type: ignore[union-attr]
    tokens = {"hook_status": request.token, "hook_incoming": account.incoming_token, "hook_done": step.token}
    for hook in HOOKS:
        for kind, token in tokens.items():
            if kind != hook:
                assert refusal(sift.post(hook, token, told("connecting")))[0] == 404


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options", "trace"])
@pytest.mark.parametrize("hook", HOOKS)
def test_only_post_is_allowed(client: Client, hook: str, method: str) -> None:
    answered = getattr(client, method)(reverse(hook, kwargs={"token": placed().token}))
    assert (answered.status_code, answered["Allow"]) == (405, "POST")


def test_no_cookie_is_needed_and_none_is_set(sift: Sift) -> None:
    strict = Sift(Client(enforce_csrf_checks=True))
    answered = strict.status(placed().token, told("connecting"))
    assert answered.status_code == 200
    assert not answered.cookies


def test_tokens_are_in_no_line_of_the_log_and_not_on_the_calls_page(
    client: Client, sift: Sift, supervisor: Operator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.addFilter(WithoutTokens())
    caplog.set_level(logging.DEBUG)
    request = placed(ASK)
    (step,) = request.script.steps.all()  # type: ignore[union-attr]
    tokens = [request.token, step.token]
    echoed = told("connected", status_url=status_address(request.token))
    answer(sift.status(request.token, echoed))
    sift.status(request.token, b"not json")
    sift.status(request.token, b"x" * (LARGEST + 1))
    sift.client.get(reverse("hook_status", kwargs={"token": request.token}))
    sift.done(step.token, {"connection_id": "other"})
    answer(sift.done(step.token, {"connection_id": "c1", "digits": "1"}))
    client.force_login(supervisor)
    page = client.get("/calls/c1/").content.decode()
    assert "GetDigits" in page
    for token in tokens:
        assert token not in caplog.text
        assert token not in page


AWAY = """
import os, sys, time
os.environ["DATABASE_URL"] = "postgresql:///nowhere?host=/nowhere&user=nobody"
import django
django.setup()
from django.conf import settings
settings.DATABASES["default"]["OPTIONS"]["pool"]["timeout"] = 0.2
settings.ALLOWED_HOSTS.append("testserver")
from django.test import Client
from connections_app.engines.database import server
client = Client()
for kind in ("status", "incoming", "done"):
    answer = client.post(f"/hooks/sift/{kind}/{'a' * 43}/", "{}", content_type="application/json")
    print(kind, answer.status_code, answer.json()["error"])
    deadline = time.monotonic() + 10
    while not server.is_open and time.monotonic() < deadline:
        time.sleep(0.01)
print(client.get(f"/hooks/sift/status/{'a' * 43}/").status_code)
"""


def test_without_a_database_sift_gets_503_and_no_token_is_logged() -> None:
    done = subprocess.run(
        [sys.executable, "-c", AWAY], env=os.environ, capture_output=True, text=True, timeout=50
    )
    assert done.stdout.splitlines() == [
        "status 503 Try again later.",
        "incoming 503 Try again later.",
        "done 503 Try again later.",
        "405",
    ], done.stderr[-2000:]
    # The first has waited for the database; once that is known to be away, the others are refused at once.
    assert done.stderr.count("A callback was not taken") == 1
    assert "a" * 43 not in done.stderr
