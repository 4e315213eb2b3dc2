"""How fast calls are exported, beside COPY TO of the same calls as they lie in their table.

    script/bench export

Believable calls (bench/_calls.py) are made in a database. The newest 100,000 are downloaded from the web
process as it runs in production, in turns with a bare COPY of their columns by psycopg; then all are made
into a file by a worker as it runs in production, and the file is fetched.
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
MOST_TO_FIRST = 200  # milliseconds
MOST_GROWTH = 20  # MB
CSRF = "x" * 32
# What an export reads of a call (`writing.READ`), as it lies there.
BARE = """
    COPY (
        SELECT id, connection_id, status, doubt, direction, started_at, ended_at, at, talk_seconds,
            from_endpoint, to_endpoint, party, country, first_seen_at, operator_id
        FROM connections_app_connection WHERE at >= %s ORDER BY at DESC, id DESC
    ) TO STDOUT (FORMAT csv)
"""


@dataclass(frozen=True, slots=True)
class Sent:
    """Seconds until the first octet was there, and until all were; how many octets."""

    first: float
    whole: float
    octets: int


class Visitor:
    """A signed-in person's browser."""

    def __init__(self, port: int, session: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        self.headers = {"Cookie": f"sessionid={session}; csrftoken={CSRF}", "Accept-Encoding": "gzip"}

    def post(self, address: str, **form: str) -> Sent:
        body = urlencode({"csrfmiddlewaretoken": CSRF} | form)
        return self._read("POST", address, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def get(self, address: str) -> Sent:
        return self._read("GET", address, None, {})

    def _read(self, method: str, address: str, body: str | None, headers: dict[str, str]) -> Sent:
        self.connection.close()  # The server may have let go of it.
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
    """The resident memory of a process, in MB, and how far it goes up."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def watch(self) -> float:
        """What it is now, from where its peak is then told."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")
        return self._told("VmRSS")

    def peak(self) -> float:
        return self._told("VmHWM")

    def _told(self, name: str) -> float:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(float(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


def main() -> None:
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
    """The newest calls, as many as are sent at once, in turns by each way."""
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
        told(name, calls, statistics.median(one[way].whole for one in taken), taken[0][way].octets)
    verdict("CSV: rate / bare COPY", bare / csv, least=LEAST_OF_BARE)
    verdict("JSON lines: rate / bare COPY", bare / ndjson, least=0)
    verdict("first octet, ms, slowest", max(one[1].first for one in taken) * 1000, most=MOST_TO_FIRST)
    verdict(f"web process, MB above {before:.0f}", after - before, most=MOST_GROWTH)


def taken_by(visitor: Visitor, form: dict[str, str], since: Any) -> tuple[Sent, Sent, Sent]:
    return (
        bare_copy(since),
        visitor.post("/calls/export/", **form, format="csv"),
        visitor.post("/calls/export/", **form, format="ndjson"),
    )


def bare_copy(since: Any) -> Sent:
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
    """A worker for long work as launch/run.py starts it; its process."""
    command = (sys.executable, "-W", "ignore", "-m", "celery", "--quiet", "-A", "sift_dashboard", "worker")
    options = ("-Q", "long", "-c", "2", "--pool", "threads", "--loglevel", "warning")
    with subprocess.Popen([*command, *options, "--without-gossip", "--without-mingle"]) as process:
        try:
            yield process.pid
        finally:
            process.kill()


def report_made(visitor: Visitor, memory: Memory, worker_pid: int, rows: int) -> None:
    """All calls as a file, and the file fetched."""
    from datetime import UTC, datetime

    from connections_app.exports import making

    # The first one has the worker load what it needs.
    warm = made("since=2200-01-01")
    wait_for(lambda: ended(warm))
    working = Memory(worker_pid)
    before, one = working.watch(), made("")
    wait_for(lambda: ended(one))
    one.refresh_from_db()
    took = (one.ended_at - one.asked_at).total_seconds()
    bare = bare_copy(datetime(1970, 1, 1, tzinfo=UTC))
    print(f"\n{rows:,} calls in the background")
    told("bare COPY", rows, bare.whole, bare.octets)
    told("CSV", one.written, took, one.length)
    verdict("CSV: rate / bare COPY", bare.whole / took, least=0)
    verdict(f"worker, MB above {before:.0f}", working.peak() - before, most=MOST_GROWTH)
    before = memory.watch()
    fetched = visitor.get(f"/exports/{one.pk}/file/")
    told("fetched", rows, fetched.whole, fetched.octets)
    verdict(f"web process, MB above {before:.0f}", memory.peak() - before, most=MOST_GROWTH)
    for export in (warm, one):
        making.delete(export)


def made(query: str) -> Any:
    """An export of what `query` asks for, which a worker is told to make."""
    from connections_app.call_list.time_limits import Count
    from connections_app.exports import making
    from connections_app.exports.tasks import make_export
    from connections_app.exports.writing import COLUMNS, ExportRequest, Format
    from connections_app.models import Operator

    asked = ExportRequest(query, Format.CSV, [column.name for column in COLUMNS], "Europe/Berlin")
    named = making.NamedExport(asked, "calls.csv", Count(0, is_exact=True))
    one = making.begin(named, Operator.objects.get(username="visitor"), None)
    make_export.delay(one.pk)
    return one


def ended(one: Any) -> bool:
    one.refresh_from_db()
    if one.reason:
        sys.exit(one.reason)
    return one.ended_at is not None


def wait_for(condition: Callable[[], bool], seconds: float = 600) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "The worker did not come to its end."
        time.sleep(0.02)


def told(name: str, calls: int, seconds: float, octets: int) -> None:
    rate = f"{calls / seconds:>9,.0f} calls a second"
    print(f"{name:<12} {rate}  {octets / seconds / 1e6:>6.1f} MB a second  {octets / 1e6:>6.1f} MB")


if __name__ == "__main__":
    main()
