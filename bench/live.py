"""How soon every open stream has a change, and what streams cost, beside pages that ask each second.

    script/bench live

One web process receives callbacks of placed calls over HTTP at random times (a Poisson process), with some
hundred calls in progress. The time of a change runs from before the connection of its callback is opened
until the last stream has received the event with that status of that call, or a later one. One process reads
all streams; its CPU use is printed too. Each number of streams has its own web process: the streams are
opened, left idle, and then receive changes. The process counts its statements by thread (bench/_counted.py).
The pages that poll each second have their own web process, without changes.
"""

import argparse
import asyncio
import json
import resource
import secrets
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import cycle
from typing import Any, Self

import psutil

from bench._changes import Sift
from bench._web import Web, close, environment_on, prepare, web
from bench.sync import bench_database

APPLICATION = ("bench._counted:application",)
OPERATORS = 20
# Lost notifications are repaired within three seconds; later changes count as missing.
SETTLE_SECONDS = 4.0
# A web process imports and compiles modules and templates for its first pages.
WARM_UP_SECONDS = 5.0
SLOWEST_MS = 300
LARGEST_KB = 60
# One for the changed calls, and one a second for the figures of the hour.
MOST_QUERIES = 1.25
ENOUGH_FILES = 8192
POLL = "GET / HTTP/1.1\r\nHost: localhost\r\nHX-Request: true\r\nAccept-Encoding: gzip\r\nCookie: {}\r\n\r\n"


@dataclass(frozen=True)
class Spent:
    """What a span of `seconds` took: processor seconds, and statements by kind of thread."""

    seconds: float
    web: float
    watching: float
    statements: dict[str, int]

    def percent(self, processor: float) -> float:
        """Return processor seconds as a percentage of the span."""
        return 100 * processor / self.seconds

    def queries(self, threads: str) -> float:
        """Return the statements a second of one kind of thread."""
        return self.statements[threads] / self.seconds


@dataclass
class Span:
    """Measures from its creation until `end`."""

    web: Web
    watching: psutil.Process | None = None
    began: Spent = field(init=False)

    def __post_init__(self) -> None:
        self.began = self._now()

    def end(self) -> Spent:
        """Return what was spent since the creation."""
        began, now = self.began, self._now()
        made = {name: number - began.statements[name] for name, number in now.statements.items()}
        return Spent(now.seconds - began.seconds, now.web - began.web, now.watching - began.watching, made)

    def _now(self) -> Spent:
        watching = used(self.watching) if self.watching else 0.0
        with urllib.request.urlopen(f"http://127.0.0.1:{self.web.port}/statements/") as answer:
            made = json.load(answer)
        return Spent(time.monotonic(), used(psutil.Process(self.web.pid)), watching, made)


def used(process: psutil.Process) -> float:
    """Return the processor seconds that a process has used."""
    times = process.cpu_times()
    return float(times.user + times.system)


def percentile_ms(seconds: Sequence[float], percent: int) -> float:
    """Return a percentile in milliseconds; infinity for fewer than two values."""
    if len(seconds) < 2:
        return float("inf")
    return statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1] * 1000


# Streams


def sign_in(count: int) -> list[str]:
    """Sign in OPERATORS people in `count` browsers. Returns the cookie of each browser."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import Group
    from django.contrib.sessions.models import Session
    from django.utils import timezone

    from connections_app.models import Operator, Role

    operators = [Operator.objects.create_user(f"bench{n}") for n in range(OPERATORS)]
    for operator in operators:
        operator.groups.set(Group.objects.filter(name=Role.OPERATOR))
    keys = [secrets.token_hex(16) for _ in range(count)]
    Session.objects.bulk_create(
        Session(
            session_key=key,
            session_data=Session.get_session_store_class()().encode(
                {
                    SESSION_KEY: str(operator.pk),
                    BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
                    HASH_SESSION_KEY: operator.get_session_auth_hash(),
                }
            ),
            expire_date=timezone.now() + timedelta(hours=1),
        )
        for key, operator in zip(keys, cycle(operators), strict=False)
    )
    return [f"{settings.SESSION_COOKIE_NAME}={key}" for key in keys]


@dataclass
class Watching:
    """The process that reads the streams; `opened` is the seconds until each had the whole board."""

    process: "subprocess.Popen[str]"
    opened: float = 0.0

    @classmethod
    @contextmanager
    def begun(cls, port: int, cookies: Sequence[str]) -> Iterator[Self]:
        """Open a stream for each of `cookies`."""
        command = [sys.executable, "-m", "bench._watching"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            try:
                watching = cls(process)
                watching.opened = watching.request({"port": port, "cookies": cookies})
                yield watching
            finally:
                process.kill()

    def request(self, content: Any) -> Any:
        """Send a request to the process and return its answer."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(content) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        return json.loads(answer) if answer else sys.exit("The streams could not be read.")


@dataclass
class Watched:
    """What the streams received, and its cost. `seconds` has each change that reached at least one stream."""

    streams: int
    opened: float
    kb_opened: float
    kb_after: float
    idle: Spent
    busy: Spent
    changes: int
    seconds: list[float]
    missing: int
    boards: int
    batches: int
    octets: int

    @property
    def queries_a_batch(self) -> float:
        """Queries for each batch, without those that are also made when nothing changes."""
        more = self.busy.queries("live") - self.idle.queries("live")
        return more * self.busy.seconds / max(1, self.batches)

    @property
    def kb_a_second(self) -> float:
        """KB sent to one stream each second."""
        return self.octets / self.streams / self.busy.seconds / 1024


def watch(
    cookies: Sequence[str], sift: Sift, environment: dict[str, str], seconds: float, idle: float
) -> Watched:
    """Measure streams for `cookies` on a new web process: `idle` seconds, then `seconds` of changes."""
    with web(APPLICATION, environment) as served:
        with Watching.begun(served.port, cookies[:1]):
            pass  # The first stream makes the process load modules, which must not count.
        before = memory_kb(served)
        with Watching.begun(served.port, cookies) as watching:
            reading = psutil.Process(watching.process.pid)
            time.sleep(1)
            opened = memory_kb(served)
            span = Span(served, reading)
            time.sleep(idle)
            idled = span.end()
            span = Span(served, reading)
            sent = asyncio.run(sift.call_back(served.port, seconds))
            spent = span.end()
            time.sleep(SETTLE_SECONDS)
            after = memory_kb(served)
            answer = watching.request(list(sent))
    reached = zip(sent.values(), answer["reached"], strict=True)
    return Watched(
        streams=len(cookies),
        opened=watching.opened,
        kb_opened=(opened - before) / len(cookies),
        kb_after=(after - before) / len(cookies),
        idle=idled,
        busy=spent,
        changes=len(sent),
        seconds=[last - at for at, (last, _) in reached if last],
        missing=sum(missing for _, missing in answer["reached"]),
        boards=answer["boards"],
        batches=answer["batches"],
        octets=answer["octets"],
    )


def memory_kb(served: Web) -> float:
    """Return the memory of the web process in KB, without mapped files, which the kernel can release."""
    held = psutil.Process(served.pid).memory_info()
    return float(held.rss - getattr(held, "shared", 0)) / 1024


# Pages that poll each second instead


@dataclass
class Pages:
    """Pages that poll the board each second: the seconds of each answer, and the number of other answers."""

    cookies: Sequence[str]
    seconds: list[float] = field(default_factory=list)
    refused: int = 0

    async def poll(self, port: int, seconds: float) -> None:
        """Poll for `seconds`, with the pages spread over each second."""
        began = time.monotonic()
        pages = enumerate(self.cookies)
        ended = await asyncio.gather(
            *(
                self._page(port, cookie, began + n / len(self.cookies), began + seconds)
                for n, cookie in pages
            ),
            return_exceptions=True,
        )
        # A page whose connection is closed polls no more.
        self.refused += sum(isinstance(one, Exception) for one in ended)

    async def _page(self, port: int, cookie: str, due: float, end: float) -> None:
        """Poll each second from `due` on; again at once after an answer that took longer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        request = POLL.format(cookie).encode()
        while due < end:
            await asyncio.sleep(due - time.monotonic())
            began = time.monotonic()
            writer.write(request)
            answered = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(answered.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
            if answered.startswith(b"HTTP/1.1 200 "):
                self.seconds.append(time.monotonic() - began)
            else:
                self.refused += 1
            due = max(due + 1, time.monotonic())
        writer.close()


@dataclass
class Polled:
    """What the polling pages received, and its cost."""

    pages: Pages
    spent: Spent

    @property
    def a_second(self) -> float:
        """Answers a second."""
        return len(self.pages.seconds) / self.spent.seconds

    @property
    def processor(self) -> float:
        """Processor seconds for one answer."""
        return self.spent.web / max(1, len(self.pages.seconds))


def poll(cookies: Sequence[str], environment: dict[str, str], seconds: float) -> Polled:
    """Measure polling pages for `cookies` on a new web process."""
    with web(APPLICATION, environment) as served:
        asyncio.run(Pages(cookies[:1]).poll(served.port, WARM_UP_SECONDS))
        pages, span = Pages(cookies), Span(served)
        asyncio.run(pages.poll(served.port, seconds))
        return Polled(pages, span.end())


# The run


def main() -> None:
    """Run the bench."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--streams", type=int, nargs="+", default=[10, 100, 1000])
    arguments.add_argument("--pages", type=int, nargs="+", default=[10, 20], help="that ask each second")
    arguments.add_argument("--seconds", type=float, default=60, help="of changes, for each number of streams")
    arguments.add_argument("--idle", type=float, default=20, help="seconds without changes before")
    arguments.add_argument("--polling", type=float, default=20, help="seconds that pages ask")
    chosen = arguments.parse_args()
    allow_files()
    with bench_database() as database_url:
        environment = environment_on(database_url)
        prepare(environment)
        # The page for a refused request needs the static files.
        subprocess.run(
            [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"], env=environment, check=True
        )
        sift = Sift.with_calls_for(chosen.seconds * len(chosen.streams))
        cookies = sign_in(max(*chosen.streams, *chosen.pages))
        with web(APPLICATION, environment) as served:
            asyncio.run(sift.fill_the_board(served.port))
        watched = []
        for count in chosen.streams:
            print(f"{count:,} streams …", flush=True)
            watched.append(watch(cookies[:count], sift, environment, chosen.seconds, chosen.idle))
        polled = []
        for count in chosen.pages:
            print(f"{count:,} pages …", flush=True)
            polled.append(poll(cookies[:count], environment, chosen.polling))
        report(watched, polled)
        close()


def allow_files() -> None:
    """Raise the limit of open sockets for this process and its children to ENOUGH_FILES, if allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = hard if hard != resource.RLIM_INFINITY else ENOUGH_FILES
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(ENOUGH_FILES, most)), hard))


def report(watched: list[Watched], polled: list[Polled]) -> None:
    """Print both tables."""
    print()
    line("open streams", ",", [one.streams for one in watched])
    line("changes", ",", [one.changes for one in watched])
    line("p50, ms", ".0f", [percentile_ms(one.seconds, 50) for one in watched])
    line("p95, ms", ".0f", [percentile_ms(one.seconds, 95) for one in watched])
    line("p99, ms", ".0f", [percentile_ms(one.seconds, 99) for one in watched], SLOWEST_MS)
    line("slowest, ms", ".0f", [max(one.seconds, default=0) * 1000 for one in watched])
    line("missing", ",", [one.missing for one in watched], 0)
    line("boards sent anew", ",", [one.boards for one in watched])
    line("batches a second", ".1f", [one.batches / one.busy.seconds for one in watched])
    line("changes a batch", ".2f", [one.changes / max(1, one.batches) for one in watched])
    line("queries a batch", ".2f", [one.queries_a_batch for one in watched], MOST_QUERIES)
    line("queries a second", ".1f", [one.busy.queries("live") for one in watched])
    line("  beside callbacks' own", ".1f", [one.busy.queries("callbacks") for one in watched])
    line("KB a second to each stream", ".0f", [one.kb_a_second for one in watched])
    line("web process, CPU %", ".0f", [one.busy.percent(one.busy.web) for one in watched])
    line("reading process, CPU %", ".0f", [one.busy.percent(one.busy.watching) for one in watched])
    line("all opened after, s", ".2f", [one.opened for one in watched])
    line("KB of memory each, opened", ".0f", [one.kb_opened for one in watched], LARGEST_KB, last=True)
    line("KB of memory each, at the end", ".0f", [one.kb_after for one in watched], LARGEST_KB, last=True)
    line("no change: queries a second", ".1f", [one.idle.queries("live") for one in watched])
    line("no change: web process, CPU %", ".1f", [one.idle.percent(one.idle.web) for one in watched])
    print()
    line("pages that ask each second", ",", [len(one.pages.cookies) for one in polled])
    line("answers a second", ".1f", [one.a_second for one in polled])
    line("refused", ",", [one.pages.refused for one in polled])
    line("p50, ms", ".0f", [percentile_ms(one.pages.seconds, 50) for one in polled])
    line("p99, ms", ".0f", [percentile_ms(one.pages.seconds, 99) for one in polled])
    line("queries a second", ".1f", [one.spent.queries("pages") for one in polled])
    line("web process, CPU %", ".0f", [one.spent.percent(one.spent.web) for one in polled])
    line("processors for 1,000 pages", ".0f", [1000 * one.processor for one in polled])


def line(
    what: str, form: str, figures: Sequence[float], at_most: float | None = None, *, last: bool = False
) -> None:
    """Print a line of the table; a limit holds for all its figures, or for the last one only."""
    text = f"{what:<30}" + "".join(f"{figure:>10{form}}" for figure in figures)
    if at_most is not None:
        is_met = max(figures[-1:] if last else figures) <= at_most
        text += f"   at most {at_most:g}{', the last' if last else ''}  {'met' if is_met else 'NOT MET'}"
    print(text)


if __name__ == "__main__":
    main()
