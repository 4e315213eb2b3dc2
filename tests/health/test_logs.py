"""What repeats is one line a minute with a count, and no line holds a token."""

import io
import logging
import sys

import pytest
from django.db import OperationalError

from sift_dashboard import logs
from sift_dashboard.logs import OnceAMinute, WithoutTokens


@pytest.fixture
def written() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def log(written: io.StringIO) -> logging.Logger:
    """A logger with the filters of the console."""
    logger = logging.Logger("watch")
    handler = logging.StreamHandler(written)
    handler.addFilter(OnceAMinute())
    handler.addFilter(WithoutTokens())
    logger.addHandler(handler)
    return logger


def fail(log: logging.Logger, error: Exception, message: str = "Task failed") -> None:
    try:
        raise error
    except type(error):
        log.error(message, exc_info=sys.exc_info())


def test_an_engine_that_does_not_answer_is_one_line_however_often_it_is_tried(
    log: logging.Logger, written: io.StringIO
) -> None:
    for _ in range(100):
        fail(log, OperationalError("connection refused\nIs the server running?"))
    assert written.getvalue() == "Task failed: connection refused\n"


def test_after_a_minute_the_count_is_given(
    log: logging.Logger, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(logs, "monotonic", lambda: now[0])
    for _ in range(60):
        fail(log, OperationalError("gone"))
    now[0] += 61
    fail(log, OperationalError("gone"))
    assert written.getvalue().splitlines() == [
        "Task failed: gone",
        "Task failed: gone (59 more like it in the last minute)",
    ]


def test_a_fault_of_our_own_keeps_its_traceback_the_first_time(
    log: logging.Logger, written: io.StringIO
) -> None:
    for _ in range(5):
        fail(log, KeyError("operator"))
    assert written.getvalue().count("Traceback") == 1


def test_different_failures_are_not_counted_as_one(log: logging.Logger, written: io.StringIO) -> None:
    fail(log, OperationalError("gone"), "First")
    fail(log, OperationalError("gone"), "Second")
    for name in ("sync", "watch"):
        log.error("Task %(name)s failed", {"name": name})
        log.warning("Call %s is lost", name)
    assert len(written.getvalue().splitlines()) == 6


def test_what_is_no_failure_always_passes(log: logging.Logger, written: io.StringIO) -> None:
    for _ in range(3):
        log.info("A walk has ended.")
    assert len(written.getvalue().splitlines()) == 3


@pytest.mark.parametrize(
    "address",
    ["/hooks/sift/status/s3cret/", "/HOOKS/Sift/Status/s3cret/", "/?WALL=s3cret", "/?a=1&wall=s3cret"],
)
def test_no_line_holds_a_token(log: logging.Logger, written: io.StringIO, address: str) -> None:
    log.warning("Not Found: %s", address)
    assert "s3cret" not in written.getvalue()
