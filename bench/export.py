"""How fast calls are exported, beside COPY TO of the same calls as they lie in their table.

    script/bench export

Realistic calls (bench/_calls.py) are made in a database. The newest 100,000 are downloaded from the web
process as it runs in production, in turns with a bare COPY of their columns by psycopg; then a worker as it
runs in production writes all calls to a file, which is downloaded.
"""

import argparse
import http.client
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench._verdict import verdict
from bench._web import close, environment_on, prepare, web
from bench.browse import OURS, signed_in
from bench.sync import bench_database

ROWS = 1_000_000
LEAST_OF_BARE = 0.5
MOST_MS_TO_FIRST = 200
MOST_GROWTH_MB = 20
CSRF = "x" * 32
# The columns that an export reads (`writing.READ`).
BARE = """
    COPY (
        SELECT id, connection_id, status, doubt, direction, started_at, ended_at, at, talk_seconds,
            from_endpoint, to_endpoint, party, country, first_seen_at, operator_id
        FROM connections_app_connection WHERE at >= %s ORDER BY at DESC, id DESC
    ) TO STDOUT (FORMAT csv)
"""


@dataclass(frozen=True, slots=True)
class Sent:
    """Seconds until the first octet and until the last, and the number of octets."""

    first: float
    whole: float
    octets: int


class Visitor:
    """A signed-in person's browser."""

    def __init__(self, port: int, session: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        self.headers = {"Cookie": f"sessionid={session}; csrftoken={CSRF}", "Accept-Encoding": "gzip"}

    def post(self, address: str, **form: str) -> Sent:
        """Send a form and read the whole answer."""
        body = urlencode({"csrfmiddlewaretoken": CSRF} | form)
        return self._read("POST", address, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def get(self, address: str) -> Sent:
        """Read the whole answer of an address."""
        return self._read("GET", address, None, {})

    def _read(self, method: str, address: str, body: str | None, headers: dict[str, str]) -> Sent:
        self.connection.close()  # The server may have closed it.
        began = time.perf_counter()
        self.connection.request(method, address, body, self.headers | headers)
        answer = self.connection.getresponse()
        octets = len(answer.read(1))
        first = time.perf_counter() - began
        held = bytearray(1 << 17)
        while some := answer.readinto(held):
            octets += some
        if answer.status != 200:
            sys.exit(f"{address}: {answer.status}")
        return Sent(first, time.perf_counter() - began, octets)


class Memory:
    """The resident memory of a process and its peak, in MB."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def watch(self) -> float:
        """Reset the peak. Returns the current memory."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")
        return self._status_field("VmRSS")

    def peak(self) -> float:
        """Return the peak since `watch`."""
        return self._status_field("VmHWM")

    def _status_field(self, name: str) -> float:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(float(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


def main() -> None:
    """Run the bench."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--rows", type=int, default=ROWS)
    arguments.add_argument("--rounds", type=int, default=7)
    chosen = arguments.parse_args()
    with bench_database("sift_bench_export") as database_url:
        os.environ |= environment_on(database_url)
        prepare(dict(os.environ))
        export(chosen.rows, chosen.rounds)
        close()


def export(rows: int, rounds: int) -> None:
    """Generate the calls, export them both ways, and report."""
    from bench._calls import make_calls

    subprocess.run([sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"], check=True)
    print(f"making {rows:,} calls", flush=True)
    make_calls(rows)
    with ExitStack() as running:
        session = running.enter_context(signed_in())
        served = running.enter_context(web(OURS, dict(os.environ)))
        visitor, memory = Visitor(served.port, session), Memory(served.pid)
        report_sent(visitor, memory, rounds)
        report_made(visitor, memory, running.enter_context(worker()), rows)


def report_sent(visitor: Visitor, memory: Memory, rounds: int) -> None:
    """Download as many calls as are sent at once, in turns by each way, and report."""
    from connections_app.exports.writing import INLINE_LIMIT
    from connections_app.models import Connection

    newest = Connection.objects.order_by("-at", "-pk").values_list("at", flat=True)
    since = newest[min(INLINE_LIMIT, newest.count()) - 1].replace(microsecond=0)
    calls = Connection.objects.filter(at__gte=since).count()
    form = {"query": f"since={since:%Y-%m-%dT%H:%M:%S}"}
    visitor.post("/calls/export/", **form, format="csv")
    before, taken = memory.watch(), [taken_by(visitor, form, since) for _ in range(rounds)]
    after = memory.peak()
    bare, csv, ndjson = (statistics.median(one[way].whole for one in taken) for way in range(3))
    print(f"\n{calls:,} calls, the middle of {rounds} tries")
    for name, way in (("bare COPY", 0), ("CSV", 1), ("JSON lines", 2)):
        print_rate(name, calls, statistics.median(one[way].whole for one in taken), taken[0][way].octets)
    verdict("CSV: rate / bare COPY", bare / csv, least=LEAST_OF_BARE)
    verdict("JSON lines: rate / bare COPY", bare / ndjson, least=0)
    verdict("first octet, ms, slowest", max(one[1].first for one in taken) * 1000, most=MOST_MS_TO_FIRST)
    verdict(f"web process, MB above {before:.0f}", after - before, most=MOST_GROWTH_MB)


def taken_by(visitor: Visitor, form: dict[str, str], since: Any) -> tuple[Sent, Sent, Sent]:
    """Return the results of COPY, CSV and JSON lines."""
    return (
        bare_copy(since),
        visitor.post("/calls/export/", **form, format="csv"),
        visitor.post("/calls/export/", **form, format="ndjson"),
    )


def bare_copy(since: Any) -> Sent:
    """Read the calls since a time by COPY."""
    from django.db import connection

    began, first, octets = time.perf_counter(), 0.0, 0
    with connection.cursor() as cursor, cursor.copy(BARE, [since]) as copy:
        for row in copy:
            first = first or time.perf_counter() - began
            octets += len(row)
    return Sent(first, time.perf_counter() - began, octets)


# In the background


@contextmanager
def worker() -> Iterator[int]:
    """Run a worker for long work as launch/run.py starts it. Yields its process id."""
    command = (sys.executable, "-W", "ignore", "-m", "celery", "--quiet", "-A", "sift_dashboard", "worker")
    options = ("-Q", "long", "-c", "2", "--pool", "threads", "--loglevel", "warning")
    with subprocess.Popen([*command, *options, "--without-gossip", "--without-mingle"]) as process:
        try:
            yield process.pid
        finally:
            process.kill()


def report_made(visitor: Visitor, memory: Memory, worker_pid: int, rows: int) -> None:
    """Export all calls to a file in the background, download it, and report."""
    from datetime import UTC, datetime

    from connections_app.exports import making

    # The first export makes the worker load its modules.
    warm = start_export("since=2200-01-01")
    wait_for(lambda: has_ended(warm))
    working = Memory(worker_pid)
    before, one = working.watch(), start_export("")
    wait_for(lambda: has_ended(one))
    one.refresh_from_db()
    took = (one.ended_at - one.asked_at).total_seconds()
    bare = bare_copy(datetime(1970, 1, 1, tzinfo=UTC))
    print(f"\n{rows:,} calls in the background")
    print_rate("bare COPY", rows, bare.whole, bare.octets)
    print_rate("CSV", one.written, took, one.length)
    verdict("CSV: rate / bare COPY", bare.whole / took, least=0)
    verdict(f"worker, MB above {before:.0f}", working.peak() - before, most=MOST_GROWTH_MB)
    before = memory.watch()
    fetched = visitor.get(f"/exports/{one.pk}/file/")
    print_rate("fetched", rows, fetched.whole, fetched.octets)
    verdict(f"web process, MB above {before:.0f}", memory.peak() - before, most=MOST_GROWTH_MB)
    for export in (warm, one):
        making.delete(export)


def start_export(query: str) -> Any:
    """Start an export of the calls of `query` in the worker. Returns the export."""
    from connections_app.call_list.time_limits import Count
    from connections_app.exports import making
    from connections_app.exports.tasks import make_export
    from connections_app.exports.writing import COLUMNS, ExportRequest, Format
    from connections_app.models import Operator

    request = ExportRequest(query, Format.CSV, [column.name for column in COLUMNS], "Europe/Berlin")
    named = making.NamedExport(request, "calls.csv", Count(0, is_exact=True))
    one = making.begin(named, Operator.objects.get(username="visitor"), None)
    make_export.delay(one.pk)
    return one


def has_ended(one: Any) -> bool:
    """Return True if an export has ended; exit if it failed."""
    one.refresh_from_db()
    if one.reason:
        sys.exit(one.reason)
    return one.ended_at is not None


def wait_for(condition: Callable[[], bool], seconds: float = 600) -> None:
    """Wait until the condition is true. Raises `AssertionError` after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "The worker did not come to its end."
        time.sleep(0.02)


def print_rate(name: str, calls: int, seconds: float, octets: int) -> None:
    """Print the calls and MB a second of one way."""
    rate = f"{calls / seconds:>9,.0f} calls a second"
    print(f"{name:<12} {rate}  {octets / seconds / 1e6:>6.1f} MB a second  {octets / 1e6:>6.1f} MB")


if __name__ == "__main__":
    main()
