"""A broker with a password, at a socket or over TCP, lets Celery and us in, or we say why it does not."""

import os
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import quote

import psutil
import pytest
from celery import Celery
from django.conf import LazySettings
from django.test import Client
from kombu.exceptions import OperationalError as BrokerAway
from redis import Redis

from connections_app.health import checks
from launch.valkey import Valkey
from sift_dashboard.broker import broker_problem, broker_url
from sift_dashboard.celery import limit_broker_waits

pytestmark = pytest.mark.django_db

PASSWORD = "p@s/s% w:;ö"


@pytest.fixture
def guarded(valkey: Valkey) -> Iterator[Valkey]:
    """A private server that wants a password."""
    with valkey.client() as client:
        client.config_set("requirepass", PASSWORD)
    yield valkey
    with Redis(unix_socket_path=str(valkey.socket), password=PASSWORD) as client:
        client.config_set("requirepass", "")


def url(server: Valkey, password: str, user: str = "") -> str:
    return f"unix://{user}:{quote(password, safe='')}@{quote(str(server.socket))}?db=3"


def application(redis_url: str) -> Celery:
    return Celery(broker=broker_url(redis_url), set_as_current=False)


@pytest.mark.parametrize(
    ("given", "celery"),
    [
        ("unix:///a%20b/v.sock", "redis+socket:///a%20b/v.sock?virtual_host=0"),
        ("unix://:p%40s@/v.sock?db=3", "redis+socket://:p%40s@/v.sock?virtual_host=3"),
        ("unix://ana:p%3Bs@/v.sock?db=3", "redis+socket://ana:p%3Bs@/v.sock?virtual_host=3"),
        ("redis://broker", "redis://broker:6379/0"),
        ("redis://ana:p%40s@broker:1/2", "redis://ana:p%40s@broker:1/2"),
        ("redis://broker/1?db=3&socket_timeout=5", "redis://broker:6379/3"),
        ("redis://[::1]/1", "redis://[::1]:6379/1"),
        ("rediss://:p@broker", "rediss://:p@broker:6379/0?ssl_cert_reqs=required"),
        ("rediss://broker?ssl_cert_reqs=none", "rediss://broker:6379/0?ssl_cert_reqs=none"),
    ],
)
def test_celery_is_given_all_of_the_url(given: str, celery: str) -> None:
    assert broker_url(given) == celery


@pytest.mark.parametrize("user", ["", "default"])
def test_celery_signs_in_at_a_socket(guarded: Valkey, user: str) -> None:
    assert broker_problem(application(url(guarded, PASSWORD, user))) is None


def test_a_wrong_password_is_degraded(guarded: Valkey, settings: LazySettings, client: Client) -> None:
    settings.REDIS_URL = url(guarded, "wrong")
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.content.startswith(b"degraded: Valkey refuses the connection (")


def test_a_broker_that_refuses_only_celery_is_degraded(
    guarded: Valkey, settings: LazySettings, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_URL = url(guarded, PASSWORD)
    monkeypatch.setattr(checks, "celery", application(url(guarded, "wrong")))
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.content.startswith(b"degraded: Celery cannot use the broker (")


def test_a_page_does_not_wait_for_a_broker_that_hangs(valkey: Valkey) -> None:
    celery = application(valkey.have())
    limit_broker_waits(celery)
    with valkey.client() as client:
        server = psutil.Process(client.info("server")["process_id"])
    server.suspend()
    try:
        with pytest.raises(BrokerAway):
            celery.send_task("anything")
    finally:
        server.resume()


def test_a_wrong_password_ends_a_worker_in_one_line(guarded: Valkey) -> None:
    worker = ["-m", "celery", "--quiet", "-A", "sift_dashboard", "worker", "-P", "threads", "-l", "warning"]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *worker],
        env=os.environ | {"REDIS_URL": url(guarded, "wrong")},
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("The broker that REDIS_URL names refuses the connection: ")
    assert "Traceback" not in done.stderr
    assert "wrong" not in done.stderr
