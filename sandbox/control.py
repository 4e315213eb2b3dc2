"""The interface for tests, under /_sandbox/ and from this machine only: read logs and change calls."""

import time
from collections import deque
from dataclasses import asdict
from typing import Any
from urllib.parse import unquote

from sandbox.calls import World
from sandbox.faults import Fault
from sandbox.http import Answer, Request, answer, error
from sandbox.running import Running
from sandbox.traffic import Traffic

LOG_LENGTH = 100_000
LONGEST_LOGGED = 256 * 1024  # bytes of each body


class Control:
    """Serves the interface for tests."""

    def __init__(self, world: World, traffic: Traffic, running: Running, latency_ms: float) -> None:
        self.world = world
        self.traffic = traffic
        self.running = running
        self.latency_ms = latency_ms
        self.faults = running.callbacks.faults
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self.requests = 0

    def note(self, request: Request) -> None:
        """Add a request to the log, without its headers."""
        self.requests += 1
        self.log.append(
            {
                "number": self.requests,
                "at": time.time(),
                "method": request.method,
                "path": request.path,
                "query": request.query,
                "body": request.body[:LONGEST_LOGGED].decode(errors="replace"),
            }
        )

    def serve(self, request: Request) -> Answer:
        """Answer a request from this machine; refuse others with 403, and wrong values with 400."""
        if request.client not in ("127.0.0.1", "::1"):
            return error(403, "For this machine only.")
        try:
            return self.dispatch(request)
        except (ValueError, TypeError, KeyError, AttributeError) as problem:
            return error(400, str(problem))

    def dispatch(self, request: Request) -> Answer:
        """Answer a request by its method and path. Raises for wrong values."""
        match request.method, request.path.removeprefix("/_sandbox/"):
            case "GET", "health":
                return answer(200, {"ok": True})
            case "GET", "ids":
                return answer(200, {"ids": self.world.ids()})
            case "GET", "log":
                since = int(request.query.get("since", 0))
                return answer(200, {"log": [entry for entry in self.log if entry["number"] > since]})
            case "GET", "callbacks":
                since = int(request.query.get("since", 0))
                return answer(200, {"callbacks": self.running.callbacks.since(since)})
            case "PUT", "faults":
                self.faults[:] = [Fault(**fault) for fault in request.json()]
                return answer(200, [asdict(fault) for fault in self.faults])
            case "GET", "faults":
                return answer(200, [asdict(fault) for fault in self.faults])
            case "DELETE", "faults":
                self.faults.clear()
                return answer(200, [])
            case "PUT", "settings":
                return self.set(request.json())
            case "GET", "settings":
                return answer(200, self.settings())
            case "POST", "calls":
                return self.add(request.json())
            case "POST", "incoming":
                call = self.running.arrive(request.json() or {})
                return answer(201, self.world.row(call.index))
            case method, path if path.startswith("calls/"):
                _, connection_id, *more = path.split("/")
                index = self.world.find(unquote(connection_id))
                if index is None:
                    return error(404, "No such connection.")
                return self.of_one(f"{method} {'/'.join(more)}".strip(), index, request)
        return error(404, "Not found.")

    def set(self, changes: dict[str, Any]) -> Answer:
        """Change settings by name. Raises `ValueError` for an unknown one."""
        for name, value in changes.items():
            match name:
                case "latency_ms" if value >= 0:
                    self.latency_ms = float(value)
                case "rate" if value >= 0:
                    self.traffic.rate = float(value)
                case "order" if value in ("newest", "oldest"):
                    self.world.order = value
                case "page_size" if value >= 1:
                    self.world.page_size = int(value)
                case _:
                    self.running.settings.set(name, value)
        return answer(200, self.settings())

    def settings(self) -> dict[str, Any]:
        """Return all settings by name."""
        own = {"latency_ms": self.latency_ms, "rate": self.traffic.rate}
        of_the_list = {"order": self.world.order, "page_size": self.world.page_size}
        return own | of_the_list | asdict(self.running.settings)

    def add(self, body: dict[str, Any]) -> Answer:
        """Add the `raw` rows unchanged, `calls` with their missing fields generated, then `count` more.

        Anything that is not an object is added unchanged.
        """
        world = self.world
        added = [world.add(row) for row in body.get("raw", [])]
        for call in [*body.get("calls", []), *({} for _ in range(body.get("count", 0)))]:
            added.append(world.add(world.new_row(call) if isinstance(call, dict) else call))
        return answer(201, {"calls": [world.row(index) for index in added]})

    def of_one(self, what: str, index: int, request: Request) -> Answer:
        """Show or change one call."""
        match what:
            case "GET":
                return answer(
                    200, {"connection": self.world.row(index)} | self.running.under_way(index).details()
                )
            case "DELETE":
                self.world.forgotten.add(index)
            case "PATCH":
                self.world.change(index, request.json())
                self.running.check_status(index)
            case "POST keys":
                self.running.key(index, request.json()["digits"])
            case "POST says":
                self.running.say(index, dict(request.json()))
            case "POST hang_up":
                self.running.finish(self.running.under_way(index))
            case _:
                return error(404, "Not found.")
        return answer(200, self.world.row(index))
