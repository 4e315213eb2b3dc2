"""A page whose database is away says so, and opens by itself when it is back."""

import os
import subprocess
import sys

SCRIPT = """
import os, sys
os.environ["DATABASE_URL"] = "postgresql:///nowhere?host=/nowhere&user=nobody"
import django
django.setup()
from django.conf import settings
settings.DATABASES["default"]["OPTIONS"]["pool"]["timeout"] = 0.2
settings.ALLOWED_HOSTS.append("testserver")
from django.test import Client
client = Client(raise_request_exception=False)
client.cookies["sessionid"] = "x" * 32
for address in ("/", "/calls/", "/readyz", "/healthz"):
    answer = client.get(address)
    print(address, answer.status_code, "database" in answer.content.decode())
"""


def test_pages_are_503_in_words_and_healthz_is_not_touched() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "sift_dashboard.settings"},
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.stdout.splitlines() == [
        "/ 503 True",
        "/calls/ 503 True",
        "/readyz 503 True",
        "/healthz 200 False",
    ], done.stderr[-2000:]
