"""Workers for long work, as real processes on the test's database."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.conftest import database_url


@pytest.fixture
def start_worker() -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    """Start a Celery worker, with these in its environment."""
    started: list[subprocess.Popen[bytes]] = []

    def start(**environment: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "celery", "-A", "sift_dashboard", "worker", "-Q", "long", "-c", "2"]
        process = subprocess.Popen(
            [*command, "--pool", "threads", "--loglevel", "warning", "--without-gossip", "--without-mingle"],
            env=on_the_tests_database() | environment,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def on_the_tests_database() -> dict[str, str]:
    """The environment of processes that are started beside the test."""
    return os.environ | {"DATABASE_URL": database_url()}
