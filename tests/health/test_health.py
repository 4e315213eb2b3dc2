"""`/healthz` and `/readyz` say what a machine that watches needs to know."""

import pytest
from django.conf import LazySettings
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

pytestmark = pytest.mark.django_db


def test_the_process_answers(client: Client) -> None:
    assert client.get("/healthz").status_code == 200


def test_it_is_ready(client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.content) == (200, b"ready\n")


def test_missing_migrations_are_503_and_named(client: Client) -> None:
    MigrationRecorder.Migration.objects.filter(app="connections_app").latest("name").delete()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.content) == (503, b"1 migrations are missing\n")


def test_valkey_away_is_degraded_but_ready(client: Client, settings: LazySettings) -> None:
    settings.REDIS_URL = "unix:///nowhere/valkey.sock"
    answer = client.get("/readyz")
    assert (answer.status_code, answer.content) == (200, b"degraded: Valkey cannot be reached\n")
