"""How fast calls are found, among 50,000 and 3,000,000, beside what Django gives and a bare keyset view.

    script/bench browse

Realistic calls (bench/_calls.py) are made in two databases. The same questions are sent over HTTP, with a
session, to the product as it runs in production; to the admin's stock changelist, a Paginator view and a bare
keyset view (bench/_plain.py); and to PostgreSQL as SQL. The ways take turns. Then the list is queried again
while 5,000 calls a second are ingested.
"""

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from urllib.parse import quote, urlencode

from bench._new_calls import take_in
from bench._verdict import verdict
from bench._web import close, environment_on, prepare, web
from bench.sync import bench_database

SMALL, LARGE = 50_000, 3_000_000
MOST_OF_BARE = 2.5
MOST_OF_SMALL = 1.3
LEAST_OF_STOCK = 20
MOST_MS = 100
MOST_WHILE_SYNCING = 2.0
# Questions whose time must hardly grow with the table.
FLAT = ("first page", "by status", "rare fragment", "common fragment")
WHILE_SYNCING = ("first page", "by status", "rare fragment", "by operator")
PEERS_TRIES, WARM_UP_ROUNDS = 3, 3
OURS = ("sift_dashboard.asgi:application",)
PLAIN = ("bench._plain:application", "--factory")
# The expression of the trigram index.
ENDS = "(E'\\n' || coalesce(from_endpoint, '') || E'\\n' || coalesce(to_endpoint, '') || E'\\n')"


@dataclass(frozen=True)
class Question:
    """One query: as our query string, as SQL, as lookups, and as the query string of the changelist."""

    name: str
    ours: str
    sql: str
    lookups: dict[str, str] = field(default_factory=dict)
    stock: str | None = None
    path: str = "/calls/"


@dataclass
class Way:
    """The milliseconds that one way took for each question."""

    taken: dict[str, list[float]] = field(default_factory=dict)

    def add(self, question: str, ms: float) -> None:
        """Add one measurement."""
        self.taken.setdefault(question, []).append(ms)

    def median(self, question: str) -> float | None:
        """Return the median, or None without measurements."""
        return statistics.median(self.taken[question]) if question in self.taken else None

    def p95(self, question: str) -> float:
        """Return the 95th percentile."""
        return sorted(self.taken[question])[int(len(self.taken[question]) * 0.95)]


class Visitor:
    """A signed-in person's browser, with one persistent connection."""

    def __init__(self, port: int, session: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.headers = {"Cookie": f"sessionid={session}", "Accept-Encoding": "gzip"}

    def get(self, address: str) -> float:
        """Return the milliseconds until the whole answer arrived."""
        began = time.perf_counter()
        self.connection.request("GET", address, headers=self.headers)
        answer = self.connection.getresponse()
        answer.read()
        took = (time.perf_counter() - began) * 1000
        if answer.status != 200:
            sys.exit(f"{address}: {answer.status}")
        return took


def main() -> None:
    """Run the bench, or one of its subprocesses by a hidden option."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--rows", type=int, default=LARGE)
    arguments.add_argument("--rounds", type=int, default=40)
    arguments.add_argument("--plans", help="a file for the plan of each question and the cost of each index")
    arguments.add_argument("--make", type=int, help=argparse.SUPPRESS)
    arguments.add_argument("--take-in", type=float, help=argparse.SUPPRESS)
    arguments.add_argument("--ask", type=int, help=argparse.SUPPRESS)
    arguments.add_argument("--explain", type=int, help=argparse.SUPPRESS)
    arguments.add_argument("--peers", action="store_true", help=argparse.SUPPRESS)
    arguments.add_argument("--quiet", action="store_true", help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.make:
        make(chosen.make)
    elif chosen.take_in:
        take_in(chosen.take_in)
    elif chosen.ask:
        ways = query_all(chosen.ask, chosen.rounds, has_peers=chosen.peers, is_quiet=chosen.quiet)
        json.dump({name: way.taken for name, way in ways.items()}, sys.stdout)
    elif chosen.explain:
        explain(chosen.explain, chosen.plans)
    else:
        browse(chosen.rows, chosen.rounds, chosen.plans or os.devnull)


def browse(rows: int, rounds: int, plans: str) -> None:
    """Measure and report everything; write the plans to the file `plans`."""
    subprocess.run([sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"], check=True)
    with ExitStack() as running:
        small = running.enter_context(filled("sift_bench_browse_small", SMALL))
        large = running.enter_context(filled("sift_bench_browse", rows))
        at_small = measured(small, SMALL, "--rounds", str(rounds))
        at_large = measured(large, rows, "--rounds", str(rounds), "--peers")
        report(at_small, at_large, rows)
        command = [sys.executable, "-m", "bench.browse", "--explain", str(rows), "--plans", plans]
        subprocess.run(command, env=large, check=True)
        report_syncing(*while_syncing(large, rows, rounds))


# Making the calls


@contextmanager
def filled(name: str, rows: int) -> Iterator[dict[str, str]]:
    """Create a database with `rows` calls. Yields the environment of the processes that work on it."""
    with bench_database(name) as database_url:
        environment = environment_on(database_url)
        print(f"making {rows:,} calls", flush=True)
        subprocess.run(
            [sys.executable, "-m", "bench.browse", "--make", str(rows)], env=environment, check=True
        )
        yield environment


def make(rows: int) -> None:
    """Fill the database of this process's environment."""
    from bench._calls import make_calls

    prepare(dict(os.environ))
    make_calls(rows)
    close()


# Queries


def measured(environment: dict[str, str], rows: int, *options: str) -> dict[str, Way]:
    """Run `query_all` in a separate process. Returns what each way took."""
    command = [sys.executable, "-m", "bench.browse", "--ask", str(rows), *options]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    return {name: Way(taken) for name, taken in json.loads(done.stdout).items()}


def query_all(rows: int, rounds: int, *, has_peers: bool, is_quiet: bool) -> dict[str, Way]:
    """Measure each question by each way, in turns; slow peers are queried PEERS_TRIES times only.

    `is_quiet` queries only ours, and only with the questions of WHILE_SYNCING.
    """
    environment = dict(os.environ)
    prepare(environment)
    ways = {name: Way() for name in ("ours", "bare", "sql", "paginated", "stock")}
    with ExitStack() as running:
        session = running.enter_context(signed_in())
        ours = Visitor(running.enter_context(web(OURS, environment)).port, session)
        theirs = Visitor(running.enter_context(web(PLAIN, environment)).port, session)
        for question in questions(rows):
            if is_quiet and question.name not in WHILE_SYNCING:
                continue
            _query(question, ours, None if is_quiet else theirs, ways, rounds)
            if has_peers:
                _query_peers(question, theirs, ways)
                # The server has closed this connection, which was idle meanwhile.
                ours.connection.close()
    close()
    return ways


def _query(
    question: Question,
    ours: Visitor,
    theirs: Visitor | None,
    ways: dict[str, Way],
    rounds: int,
) -> None:
    for number in range(rounds + WARM_UP_ROUNDS):
        took = {"ours": ours.get(question.path + question.ours)}
        if question.sql and theirs:
            took["bare"] = theirs.get(f"/keyset/?{urlencode({'where': question.sql})}")
            took["sql"] = in_sql(question.sql)
        if number >= WARM_UP_ROUNDS:
            for way, ms in took.items():
                ways[way].add(question.name, ms)


def _query_peers(question: Question, theirs: Visitor, ways: dict[str, Way]) -> None:
    for _ in range(PEERS_TRIES):
        if question.stock is not None:
            ways["stock"].add(
                question.name, theirs.get(f"/admin/connections_app/connection/{question.stock}")
            )
        if question.lookups or question.name in ("first page", "count shown"):
            ways["paginated"].add(question.name, theirs.get(f"/paginated/?{urlencode(question.lookups)}"))


def in_sql(condition: str) -> float:
    """Return the milliseconds that PostgreSQL and one cursor take for 50 rows."""
    from django.db import connection

    columns = "id, connection_id, status, direction, at, talk_seconds, from_endpoint, to_endpoint"
    with connection.cursor() as cursor:
        began = time.perf_counter()
        cursor.execute(
            f"SELECT {columns} FROM connections_app_connection WHERE {condition}"  # noqa: S608
            " ORDER BY at DESC, id DESC LIMIT 50"
        )
        cursor.fetchall()
        return (time.perf_counter() - began) * 1000


def questions(rows: int) -> list[Question]:
    """Return the questions, for a table with `rows` calls."""
    from connections_app.call_list.paging import Order
    from connections_app.models import Connection, Operator, Tag

    middle = Connection.objects.order_by("-at", "-id").for_rows()[rows // 2]
    place = Order.by_time().place_of(middle)
    person = Operator.objects.get(username="operator7")
    tag = Tag.objects.get(name="Tag 3")
    day = date.today() - timedelta(days=200)
    in_day = f"direction = 'incoming' AND at >= '{day}T00:00Z' AND at < '{day + timedelta(days=1)}T00:00Z'"
    rare = str(middle.party)[-8:-1]
    tagged = f"id IN (SELECT connection_id FROM connections_app_calltag WHERE tag_id = {tag.pk})"  # noqa: S608
    return [
        Question("first page", "", "true", stock=""),
        Question(
            "by status", "?status=failed", "status = 'failed'", {"status": "failed"}, "?status__exact=failed"
        ),
        Question(
            "direction and day",
            f"?direction=incoming&since={day}&until={day}",
            in_day,
            {"direction": "incoming", "at__date": str(day)},
            "?direction__exact=incoming",
        ),
        Question(
            "rare fragment",
            f"?q={rare}",
            f"{ENDS} ILIKE '%{rare}%'",
            {"to_endpoint__icontains": rare},
            f"?q={rare}",
        ),
        Question(
            "common fragment", "?q=415", f"{ENDS} ILIKE '%415%'", {"to_endpoint__icontains": "415"}, "?q=415"
        ),
        Question(
            "none", "?q=zzqqx", f"{ENDS} ILIKE '%zzqqx%'", {"to_endpoint__icontains": "zzqqx"}, "?q=zzqqx"
        ),
        Question("by tag", "?tag=Tag+3", tagged, {"call_tags__tag": str(tag.pk)}),
        Question(
            "by operator",
            "?operator=operator7",
            f"operator_id = {person.pk}",
            {"operator": str(person.pk)},
        ),
        Question(
            "two filters",
            "?status=failed&country=DE",
            "status = 'failed' AND country = 'DE'",
            {"status": "failed", "country": "DE"},
            "?status__exact=failed&q=4930",
        ),
        Question(
            "deep",
            f"?below={place}",
            f"(at, id) < ('{middle.at.isoformat()}', {middle.pk})",
            {"page": str(rows // 2 // 50)},
            f"?p={rows // 2 // 50}",
        ),
        Question("count shown", "?status=finished", "status = 'finished'", {"status": "finished"}),
        Question(
            "one call", "", "", {}, f"{middle.pk}/change/", path=f"/calls/{quote(middle.connection_id, '')}/"
        ),
    ]


@contextmanager
def signed_in() -> Iterator[str]:
    """Yield the session key of an administrator, who is deleted afterwards."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model

    from connections_app.people.roles import make_administrator
    from connections_app.people.sessions import SessionStore

    visitor = get_user_model()(username="visitor")
    visitor.set_unusable_password()
    make_administrator(visitor)
    session = SessionStore()
    session[SESSION_KEY] = str(visitor.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = visitor.get_session_auth_hash()
    session.create()
    try:
        yield str(session.session_key)
    finally:
        visitor.delete()


def explain(rows: int, file: str) -> None:
    """Write all plans and the costs of the indexes, and print how many questions read the whole table."""
    prepare(dict(os.environ))
    from bench._indexes import as_table, costs
    from bench._plans import TABLE, as_markdown, plan_of, plan_of_count

    queries = [(one.name, one.ours) for one in questions(rows) if one.path == "/calls/"]
    plans = [plan_of(*one) for one in queries] + [plan_of_count("count of a rare fragment", queries[3][1])]
    table = as_table(costs())
    close()
    with open(file, "w") as out:
        out.write(f"{as_markdown(plans)}\n\n{table}\n")
    whole = [plan.question for plan in plans if TABLE in plan.whole]
    print()
    verdict("questions that read the table of calls whole", len(whole), most=0)


# While calls come in


def while_syncing(environment: dict[str, str], rows: int, rounds: int) -> tuple[Way, Way, float]:
    """Measure the list before and during an ingest. Returns both, and the calls ingested a second."""
    before = measured(environment, rows, "--quiet", "--rounds", str(rounds))["ours"]
    seconds = 5 + rounds * len(WHILE_SYNCING) * 0.1
    command = [sys.executable, "-m", "bench.browse", "--take-in", str(seconds)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as ingesting:
        time.sleep(3)
        during = measured(environment, rows, "--quiet", "--rounds", str(rounds))["ours"]
        assert ingesting.poll() is None, "The calls were all taken in before the questions were asked."
        rate, _ = ingesting.communicate()
    return before, during, float(rate)


def report(small: dict[str, Way], large: dict[str, Way], rows: int) -> None:
    """Print the times of all ways, and the verdicts."""
    print(f"\nmilliseconds at {rows:,} calls, the middle of all tries; ours at {SMALL:,} in front")
    print(f"{'':<20}{'ours,':>8}{'ours':>8}{'p95':>8}{'bare':>8}{'SQL':>8}{'Paginator':>11}{'admin':>9}")
    for name in large["ours"].taken:
        cells = [small["ours"].median(name), large["ours"].median(name), large["ours"].p95(name)]
        cells += [large[way].median(name) for way in ("bare", "sql", "paginated", "stock")]
        widths = (8, 8, 8, 8, 8, 11, 9)
        line = "".join(
            f"{'–' if ms is None else f'{ms:.1f}':>{wide}}" for ms, wide in zip(cells, widths, strict=True)
        )
        print(f"{name:<20}{line}")
    print()
    for name, way in large["ours"].taken.items():
        middle = statistics.median(way)
        if bare := large["bare"].median(name):
            verdict(f"{name}: ours / bare", middle / bare, most=MOST_OF_BARE)
        if name in FLAT:
            verdict(
                f"{name}: ours / at {SMALL:,}", middle / (small["ours"].median(name) or 1), most=MOST_OF_SMALL
            )
        if name in FLAT and (stock := large["stock"].median(name)):
            verdict(f"{name}: stock / ours", stock / middle, least=LEAST_OF_STOCK)
        verdict(f"{name}: p95, ms", large["ours"].p95(name), most=MOST_MS)


def report_syncing(before: Way, during: Way, rate: float) -> None:
    """Print how much slower the list was during the ingest."""
    print(f"\nwhile {rate:,.0f} calls a second are taken in")
    for name in WHILE_SYNCING:
        verdict(f"{name}: p95 then / before", during.p95(name) / before.p95(name), most=MOST_WHILE_SYNCING)


if __name__ == "__main__":
    main()
