"""A database server that hangs keeps nobody waiting: all are refused in time, and served when it goes on."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import requests

from tests.conftest import FreezablePostgres, wait_until
from tests.control.conftest import running_dashboard

PREPARE = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", interactive=False, verbosity=0)
from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client
from connections_app.models import Operator
from connections_app.sync.account import claim
operator = Operator.objects.create(username="ana")
operator.groups.add(Group.objects.get(name="Operator"))
client = Client()
client.force_login(operator)
print(claim().incoming_token, client.cookies[settings.SESSION_COOKIE_NAME].value)
"""
CALL = {"connection": {"connection_id": "c1", "status": "connecting", "to": "+14155550142"}}
TOO_LONG = 5.0  # seconds; a callback has one, and a page three


def test_all_are_refused_while_it_hangs_and_served_when_it_goes_on(postgres: FreezablePostgres) -> None:
    environment = {"DATABASE_URL": postgres.url}
    made = subprocess.run(
        [sys.executable, "-c", PREPARE],
        env=os.environ | environment | {"DJANGO_SETTINGS_MODULE": "sift_dashboard.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    token, session = made.stdout.split()
    with running_dashboard(environment) as web, ThreadPoolExecutor(40) as threads:

        def get(path: str) -> requests.Response:
            return requests.get(f"{web.address}{path}", cookies={"sessionid": session}, timeout=TOO_LONG)

        def call_back() -> requests.Response:
            path = f"{web.address}/hooks/sift/incoming/{token}/"
            return requests.post(path, json.dumps(CALL), timeout=TOO_LONG)

        def all_at_once() -> list[requests.Response]:
            asked: list[Callable[[], requests.Response]] = [call_back] * 20
            asked += [lambda path=path: get(path) for path in ("/readyz", "/", "/calls/", "/events/") * 4]
            return [one.result() for one in [threads.submit(ask) for ask in asked]]

        wait_until(lambda: get("/readyz").status_code == 200)
        assert [get("/calls/").status_code, call_back().status_code] == [200, 200]
        with postgres.frozen():
            for _ in range(2):
                answered = all_at_once()
                assert {one.status_code for one in answered} == {503}
                assert all("Retry-After" in one.headers for one in answered if "readyz" not in one.url)
        wait_until(lambda: get("/readyz").status_code == 200, TOO_LONG)
        assert [get("/calls/").status_code, call_back().status_code] == [200, 200]
