"""The product's web process, which also counts its statements by thread.

Streams, callbacks and new watchers each have their own threads; all others serve pages. BEGIN, COMMIT and the
empty statement that checks a connection of the pool are not counted.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.db.backends.signals import connection_created

from sift_dashboard.asgi import application as dashboard

PATH = "/statements/"
NAMED = ("live", "callbacks", "doors")

# By the name of the thread, so that no two threads write the same entry.
made: Counter[str] = Counter()


def count(execute: Callable[..., Any], sql: str, given: Any, many: bool, context: Any) -> Any:
    """Count a statement and execute it."""
    made[threading.current_thread().name] += 1
    return execute(sql, given, many, context)


def count_from_here(connection: Any, **_: Any) -> None:
    """Count the statements of a connection. Django sends the signal each time one is taken from the pool."""
    if count not in connection.execute_wrappers:
        connection.execute_wrappers.append(count)


connection_created.connect(count_from_here)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Serve the dashboard, and the counts at PATH."""
    if scope["path"] != PATH:
        await dashboard(scope, receive, send)
        return
    body = json.dumps(counted()).encode()
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-length", str(len(body)).encode())],
        }
    )
    await send({"type": "http.response.body", "body": body})


def counted() -> dict[str, int]:
    """Return the number of statements so far, by kind of thread."""
    sums = dict.fromkeys((*NAMED, "pages"), 0)
    for thread, number in made.copy().items():
        name = thread.partition("_")[0]
        sums[name if name in NAMED else "pages"] += number
    return sums
