"""How many callbacks a second one web process answers, beside a bare Django view that does one upsert.

    script/bench callbacks

Each way has its own web process with the same options, on the same database, with the same number of client
connections. The ways take turns. The bare view (bench/_bare.py) has no middleware and writes to a table whose
only index is its key; ours is the endpoint for Sift, which answers before Django's handler. Printed are
rates, latencies, and ratios of the median rates.
"""

import argparse
import asyncio
import json
import statistics
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

from bench._web import close, environment_on, prepare, web
from bench.sync import bench_database

LEAST = 0.5
MOST_STATEMENTS = 4
LIFE = ("connecting", "connected", "finished")
COMMANDS = [{"name": "Say", "text": "Hello"}, {"name": "GetDigits", "count": 1}]
APPLICATIONS = {
    "bare": ("bench._bare:application", "--factory"),
    "ours": ("sift_dashboard.asgi:application",),
}
Post = tuple[str, bytes]
# A client's posts, in order: those of one call follow each other.
Share = list[Post]


@dataclass
class Way:
    """One way to answer callbacks: its web process, and the results of its rounds."""

    web: str
    rates: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Return the median of callbacks a second."""
        return statistics.median(self.rates)

    def percentile_ms(self, percent: int) -> float:
        """Return a percentile of the latencies."""
        return statistics.quantiles(self.seconds, n=100)[percent - 1] * 1000


# The clients


async def post_all(port: int, shares: list[Share]) -> tuple[float, list[float]]:
    """Post each share by a client of its own. Returns the seconds in total, and of each post."""
    began = time.perf_counter()
    taken = await asyncio.gather(*(_client(port, share) for share in shares))
    return time.perf_counter() - began, [seconds for one in taken for seconds in one]


async def _client(port: int, share: Share) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    taken = []
    for path, body in share:
        began = time.perf_counter()
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answered = await reader.readuntil(b"\r\n\r\n")
        assert answered.startswith(b"HTTP/1.1 200 "), answered
        length = answered.lower().split(b"content-length: ")[1].split(b"\r\n")[0]
        await reader.readexactly(int(length))
        taken.append(time.perf_counter() - began)
    writer.close()
    return taken


# The callbacks


def body(connection_id: str, status: str) -> bytes:
    """Return the body of a callback, as long as those of Sift."""
    connection = {
        "connection_id": connection_id,
        "status": status,
        "direction": "incoming",
        "start_time": "2026-05-10T02:28:17Z",
        "from": "+14155550100",
        "to": "+14155550142",
        "client_data": {"customer": 4711, "campaign": "spring"},
    }
    if status == "finished":
        connection["end_time"] = "2026-05-10T02:29:17Z"
    return json.dumps({"account_id": "bench", "connection": connection}).encode()


def lives(tokens: dict[str, str], clients: int) -> list[Share]:
    """Return the three callbacks of each call, with the calls divided among the clients."""
    posts = [[(path, body(one, status)) for status in LIFE] for one, path in tokens.items()]
    return [[post for life in posts[n::clients] for post in life] for n in range(clients)]


def place(count: int, name: str) -> dict[str, str]:
    """Create requests for calls, each with a script. Returns the callback paths by future call id."""
    from uuid import uuid4

    from django.urls import reverse
    from django.utils import timezone

    from connections_app.models import CallRequest, Origin, Script

    scripts = Script.objects.bulk_create(
        Script(origin=Origin.PLACED, commands=COMMANDS, preview="Says “Hello”.", dials=False)
        for _ in range(count)
    )
    requests = CallRequest.objects.bulk_create(
        CallRequest(
            request_id=uuid4(),
            phone_number="+14155550142",
            operator_name="bench",
            deadline=timezone.now(),
            outcome="accepted",
            script=script,
        )
        for script in scripts
    )
    return {
        f"{name}-{n:06}": reverse("hook_status", kwargs={"token": request.token})
        for n, request in enumerate(requests)
    }


def statements() -> dict[str, int]:
    """Return the number of statements of each callback of a call, without BEGIN and COMMIT."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    ((one, path),) = place(1, "counted").items()
    counted, client = {}, Client(headers={"host": "localhost"})
    for status in (*LIFE, "finished"):
        with CaptureQueriesContext(connection) as captured:
            client.post(path, body(one, status), content_type="application/json")
        name = f"{status}, again" if status in counted else status
        counted[name] = sum(query["sql"] not in ("BEGIN", "COMMIT") for query in captured)
    return counted


# The run


def main() -> None:
    """Run the bench."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--clients", type=int, default=20)
    arguments.add_argument("--calls", type=int, default=700, help="calls a round, of three callbacks each")
    arguments.add_argument("--rounds", type=int, default=7, help="rounds of each way, after one to warm up")
    chosen = arguments.parse_args()
    with bench_database() as database_url, ExitStack() as running:
        environment = environment_on(database_url)
        prepare(environment)
        make_table()
        counted = statements()
        ports = {
            name: running.enter_context(web(application, environment)).port
            for name, application in APPLICATIONS.items()
        }
        report(compare(ports, chosen.clients, chosen.calls, chosen.rounds), counted)
        close()


def make_table() -> None:
    """Create the table of the bare view."""
    from django.db import connection

    from bench._bare import TABLE

    with connection.cursor() as cursor:
        cursor.execute(TABLE)


def compare(ports: dict[str, int], clients: int, calls: int, rounds: int) -> dict[str, Way]:
    """Run all ways in turns, after one round to warm up."""
    ways = {"bare": Way("bare"), "changing": Way("ours"), "repeated": Way("ours")}
    for number in range(rounds + 1):
        changing = lives(place(calls, f"r{number}"), clients)
        posts: dict[str, list[Share]] = {
            "bare": [[("/bare/", content) for _, content in share] for share in changing],
            "changing": changing,
            "repeated": [share[:3] * (len(share) // 3) for share in changing],
        }
        for name, way in ways.items():
            took, each = asyncio.run(post_all(ports[way.web], posts[name]))
            rate = len(each) / took
            if number:
                way.rates.append(rate)
                way.seconds += each
            print(f"{'warm-up' if not number else f'round {number}'}  {name:<9} {rate:>7,.0f}/s", flush=True)
    return ways


def report(ways: dict[str, Way], counted: dict[str, int]) -> None:
    """Print the rates, latencies and statements, and the verdicts."""
    verdict = {True: "met", False: "NOT MET"}
    print()
    for name, way in ways.items():
        middle, most = way.percentile_ms(50), way.percentile_ms(99)
        print(f"{name:<9} {way.rate:>7,.0f}/s  p50 {middle:>5.1f} ms  p99 {most:>5.1f} ms")
    for name in ("changing", "repeated"):
        ratio = ways[name].rate / ways["bare"].rate
        print(f"{name + ' / bare':<20} {ratio:>5.2f}  at least {LEAST:.2f}  {verdict[ratio >= LEAST]}")
    most = max(counted.values())
    counts = ", ".join(f"{name} {count}" for name, count in counted.items())
    print(f"statements: {counts}; at most {MOST_STATEMENTS}  {verdict[most <= MOST_STATEMENTS]}")


if __name__ == "__main__":
    main()
