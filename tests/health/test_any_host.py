"""Health pages answer whoever asks; other pages answer to our own names only."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("host", ["10.1.2.3:8000", "pod-7.internal", "[fd00::1]", "not a host"])
def test_health_is_shown_whatever_the_host_header_is(client: Client, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200
    assert client.get("/readyz", headers={"Host": host}).status_code == 200


def test_other_pages_answer_to_our_own_names(client: Client) -> None:
    assert client.get("/accounts/login/", headers={"Host": "evil.example"}).status_code == 400
