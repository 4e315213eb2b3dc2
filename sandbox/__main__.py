"""Run the sandbox: `python -m sandbox --port 8001`."""

import argparse
import asyncio
import os
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
import uvloop

from sandbox.api import Api
from sandbox.callbacks import Callbacks
from sandbox.calls import World
from sandbox.control import Control
from sandbox.faults import apply_faults
from sandbox.http import Receive, Scope, Send, read, write
from sandbox.memory import load, save, saved_now
from sandbox.running import Running
from sandbox.settings import Settings, is_url
from sandbox.traffic import Traffic

SAVE_SECONDS = 10
# Rows that are encoded before the first request: this takes half a second, which no page then waits for.
WARM_ROWS = 50_000


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="sandbox", description="A stand-in for the Sift API.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--prefix", default="/v0")
    parser.add_argument("--account", default="sandbox")
    parser.add_argument(
        "--token",
        default=os.environ.get("SANDBOX_TOKEN", "sandbox"),
        help="or SANDBOX_TOKEN in the environment",
    )
    parser.add_argument("--calls", type=int, default=5_000, help="past calls, over a month")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=6.0, help="new calls a minute, on the average")
    parser.add_argument("--order", choices=("newest", "oldest"), default="newest")
    parser.add_argument("--page-size", type=int, default=50)
    parser.add_argument("--state", type=Path, help="a file that keeps the calls from start to start")
    parser.add_argument("--latency-ms", type=float, default=0.0)
    # Also from the environment: the URL has a token, which the list of processes would show.
    parser.add_argument(
        "--on-incoming",
        type=url,
        default=os.environ.get("SANDBOX_ON_INCOMING"),
        help="what to ask about each inbound call, or SANDBOX_ON_INCOMING in the environment",
    )
    return parser.parse_args(given)


def url(given: str) -> str:
    """Return `given` if it is a URL. Raises `ArgumentTypeError`."""
    if not is_url(given):
        raise argparse.ArgumentTypeError(f"not a URL: {given}")
    return given


class Sandbox:
    """The ASGI application: Sift's API under the prefix, and the interface for tests under /_sandbox/."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        began = saved_now(chosen.state) if chosen.state else None
        now = began or datetime.now(UTC).replace(microsecond=0)
        self.world = World(chosen.seed, chosen.calls, chosen.order, chosen.page_size, now)
        if chosen.state:
            load(self.world, chosen.state)
        settings = Settings(on_incoming=chosen.on_incoming)
        running = Running(self.world, settings, Callbacks([]), chosen.account)
        self.traffic = Traffic(self.world, running, chosen.rate)
        self.api = Api(self.world, running, chosen.prefix, chosen.account, chosen.token)
        self.control = Control(self.world, self.traffic, running, chosen.latency_ms)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = await read(scope, receive)
        if request.path.startswith("/_sandbox/"):
            return await write(send, receive, self.control.serve(request))
        self.control.note(request)
        if self.control.latency_ms:
            await asyncio.sleep(self.control.latency_ms / 1000)
        reply = await apply_faults(
            self.control.faults,
            self.api.operation(request),
            "cursor" in request.query,
            self.world,
            lambda: self.api.serve(request),
        )
        await write(send, receive, reply)


class Server(uvicorn.Server):
    """Ends at the first signal, without waiting for the connections that a client keeps open."""

    def handle_exit(self, sig: int, frame: object) -> None:
        self.should_exit = self.force_exit = True


async def serve(chosen: argparse.Namespace) -> None:
    """Run the sandbox until a signal ends it, and save its calls if `--state` is set."""
    listening = socket.create_server((chosen.host, chosen.port))
    # Accepted connections inherit this: a small answer must not wait for the client's delayed ACK.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sandbox = Sandbox(chosen)
    sandbox.world.warm(WARM_ROWS)
    sandbox.traffic.begin()
    tasks = [asyncio.create_task(sandbox.traffic.run())]
    if chosen.state:
        tasks.append(asyncio.create_task(keep_saving(sandbox.world, chosen.state)))
    config = uvicorn.Config(
        sandbox, access_log=False, log_level="critical", lifespan="off", timeout_keep_alive=75
    )
    port = listening.getsockname()[1]
    print(f"sandbox listening on http://{chosen.host}:{port}{chosen.prefix}", flush=True)
    await Server(config).serve(sockets=[listening])
    for task in tasks:
        task.cancel()
    if chosen.state:
        save(sandbox.world, chosen.state)


async def keep_saving(world: World, file: Path) -> None:
    """Save the calls every SAVE_SECONDS."""
    while True:
        save(world, file)
        await asyncio.sleep(SAVE_SECONDS)


if __name__ == "__main__":
    uvloop.run(serve(arguments()))
