"""How fast the first sync is, beside merely fetching the pages and beside two common ways of storing them.

    script/bench sync

The sandbox serves the pages over HTTP. Each way runs in its own process, on the product's table with all its
indexes, which is emptied before. Printed are rates, ratios and the peak memory of the process that syncs.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

LIMITS = {
    "ours / fetch only, 0 ms": 0.40,
    "ours / fetch only, 20 ms": 0.95,
    "ours / bulk_create, 0 ms": 4.0,
}
LARGEST_MB = 120
BENCH_DATABASE = "sift_bench_sync"


@dataclass(frozen=True)
class Figure:
    """The result of one way: rows, seconds, and the peak memory of its process in MB."""

    rows: int
    seconds: float
    peak_mb: float

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


# Each way runs in a process of its own


def fetch_only(limit: int) -> int:
    """Fetch and decode the pages with the product's client, without storing them."""
    from connections_app.sift.client import SiftClient

    client, rows = SiftClient.configured(), 0
    url: str | None = client.list_url
    while url and rows < limit:
        answer = client._get(url)
        rows += len(answer["results"])
        url = answer["next"]
    return rows


def ours(limit: int) -> int:
    """Run the product's first walk."""
    from connections_app.models import Walk
    from connections_app.sift.client import SiftClient
    from connections_app.sync.walk import WalkRequest, walk

    made = walk(SiftClient.configured(), WalkRequest(Walk.Origin.COMMAND), may_be_long=True)
    assert made and made.state == Walk.State.COMPLETED, made and made.error
    return made.created


def bulk_create(limit: int) -> int:
    """Store a page at a time by `bulk_create(update_conflicts=True)`."""
    from connections_app.models import Connection

    fields = [
        "status",
        "started_at",
        "ended_at",
        "direction",
        "from_endpoint",
        "to_endpoint",
        "client_data",
        "raw",
    ]

    def store(page: list[Connection]) -> None:
        Connection.objects.bulk_create(
            page, update_conflicts=True, unique_fields=["connection_id"], update_fields=fields
        )

    return _store_pages(limit, store)


def update_or_create(limit: int) -> int:
    """Store a row at a time by `update_or_create`."""
    from connections_app.models import Connection

    def store(page: list[Connection]) -> None:
        for row in page:
            given = {
                field.name: getattr(row, field.name)
                for field in Connection._meta.concrete_fields
                if not field.generated and field.name not in ("id", "connection_id")
            }
            Connection.objects.update_or_create(connection_id=row.connection_id, defaults=given)

    return _store_pages(limit, store)


def _store_pages(limit: int, store: Callable[[list], None]) -> int:
    from django.utils import timezone

    from connections_app.models import Connection, Source
    from connections_app.sift.client import SiftClient

    client, rows = SiftClient.configured(), 0
    url: str | None = client.list_url
    while url and rows < limit:
        page = client.list_page(url)
        now = timezone.now()
        seen = {
            "first_seen_at": now,
            "changed_at": now,
            "first_source": Source.LIST,
            "change_source": Source.LIST,
        }
        store(
            [
                Connection(
                    connection_id=one.connection_id,
                    status=one.status,
                    direction=one.direction,
                    started_at=one.started_at,
                    ended_at=one.ended_at,
                    from_endpoint=one.from_endpoint,
                    to_endpoint=one.to_endpoint,
                    client_data=one.client_data,
                    raw=one.raw,
                    change_number=rows,
                    **seen,
                )
                for one in page.observations
            ]
        )
        rows += len(page.observations)
        url = page.next_url
    return rows


WAYS = {way.__name__: way for way in (fetch_only, ours, bulk_create, update_or_create)}


def run_here(way: str, limit: int) -> None:
    """Run one way in this process and print its figure as JSON."""
    import django

    django.setup()
    from django.db import connection

    connection.ensure_connection()
    started = time.perf_counter()
    rows = WAYS[way](limit)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows": rows, "seconds": seconds, "peak_mb": peak}))


# The run


def measure(way: str, limit: int, environment: dict[str, str]) -> Figure:
    """Empty the table, and run one way in a process of its own."""
    _empty(environment)
    done = subprocess.run(
        [sys.executable, "-m", "bench.sync", "--way", way, "--rows", str(limit)],
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(done.stderr)
    return Figure(**json.loads(done.stdout.splitlines()[-1]))


def _empty(environment: dict[str, str]) -> None:
    import psycopg

    with psycopg.connect(environment["DATABASE_URL"], autocommit=True) as database:
        database.execute("TRUNCATE connections_app_connection, connections_app_walk CASCADE")
        database.execute(
            "UPDATE connections_app_syncstate SET full_wanted = true, full_cursor = '', watermark = NULL,"
            " tail_cursor = '', \"order\" = ''"
        )
        database.execute("VACUUM ANALYZE connections_app_connection")
        database.execute("CHECKPOINT")


@contextmanager
def sandbox(rows: int, latency_ms: int) -> Iterator[str]:
    """Run the sandbox in its own process. Yields the URL of its API."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--calls", str(rows), "--rate", "0"]
    environment = os.environ | {"SANDBOX_TOKEN": "bench"}
    with subprocess.Popen(
        [*command, "--latency-ms", str(latency_ms), "--account", "bench"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        try:
            line = next(text for text in process.stdout if "http://" in text)
            yield "http://" + line.split("http://", 1)[1].strip()
        finally:
            process.terminate()


@contextmanager
def bench_database(name: str = BENCH_DATABASE) -> Iterator[str]:
    """Create a database on the server that DATABASE_URL names, and drop it afterwards. Yields its URL."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    server = os.environ["DATABASE_URL"]
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name}")
        parts = conninfo_to_dict(make_conninfo(server, dbname=name))
        query = "&".join(f"{key}={value}" for key, value in parts.items() if key != "dbname")
        yield f"postgresql:///{name}?{query}"
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def main() -> None:
    """Run the bench, or one way of it by `--way`."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--rows", type=int, default=50_000)
    arguments.add_argument("--row-by-row", type=int, default=5_000, help="rows for update_or_create")
    arguments.add_argument("--runs", type=int, default=3, help="runs of each way; the best counts")
    arguments.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sift_dashboard.settings")
    if chosen.way:
        run_here(chosen.way, chosen.rows)
    else:
        compare(chosen.rows, chosen.row_by_row, chosen.runs)


def compare(rows: int, row_by_row: int, runs: int) -> None:
    """Run all ways without and with latency, and report."""
    rates: dict[tuple[str, int], Figure] = {}
    with bench_database() as database_url:
        base = os.environ | {
            "DATABASE_URL": database_url,
            "SIFT_ACCOUNT_ID": "bench",
            "SIFT_AUTH_TOKEN": "bench",
            "SIFT_API_URL": "https://unused.example/v0",
            "SIFT_SANDBOX": "1",
        }
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], env=base, check=True)
        for latency_ms in (0, 20):
            with sandbox(rows, latency_ms) as url:
                environment = base | {"SIFT_API_URL": url}
                for way in WAYS:
                    limit = row_by_row if way == "update_or_create" else rows
                    best = max(
                        (measure(way, limit, environment) for _ in range(1 if limit < rows else runs)),
                        key=lambda figure: figure.rate,
                    )
                    rates[way, latency_ms] = best
                    print(
                        f"{latency_ms:>2} ms  {way:<17} {best.rows:>7,} rows  {best.seconds:>7.2f} s "
                        f"{best.rate:>9,.0f} rows/s  peak {best.peak_mb:.0f} MB",
                        flush=True,
                    )
    report(rates)


def report(rates: dict[tuple[str, int], Figure]) -> None:
    """Print the ratios and the peak memory, and the verdicts."""
    ratios = {
        "ours / fetch only, 0 ms": rates["ours", 0].rate / rates["fetch_only", 0].rate,
        "ours / fetch only, 20 ms": rates["ours", 20].rate / rates["fetch_only", 20].rate,
        "ours / bulk_create, 0 ms": rates["ours", 0].rate / rates["bulk_create", 0].rate,
    }
    verdict = {True: "met", False: "NOT MET"}
    for name, ratio in ratios.items():
        least = LIMITS[name]
        print(f"{name:<27} {ratio:>6.2f}  at least {least:.2f}  {verdict[ratio >= least]}")
    peak = max(rates["ours", 0].peak_mb, rates["ours", 20].peak_mb)
    print(f"{'peak memory of ours':<27} {peak:>4.0f} MB  under {LARGEST_MB} MB  {verdict[peak < LARGEST_MB]}")


if __name__ == "__main__":
    main()
