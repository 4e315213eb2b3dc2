"""`script/test --faults`: kill and freeze each process and engine in turn, under load, and compare.

`script/run` starts the product, with a separate DATA_DIR. The sandbox is only frozen: a kill would lose its
log, with which the database is compared.
"""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import requests

from launch import environment as env
from launch.fault_agreement import disagreements
from launch.fault_load import Load, wait_for
from launch.postgres import Postgres

FROZEN_SECONDS = 20.0
RECOVERY_SECONDS = 90.0
CALM_SECONDS = 3.0  # between two faults
SETTLE_SECONDS = 45.0  # until the deadline of every request has passed
SETTINGS = ("SIFT_", "DATABASE_URL", "REDIS_URL", "ADMIN_", "PUBLIC_URL", "ALLOWED_HOSTS", "SECRET_KEY")
PROCESSES = {
    "web": ("uvicorn",),
    "worker-short": ("celery", "short@%h"),
    "worker-long": ("celery", "long@%h"),
    "beat": ("celery", "beat"),
    "sandbox": ("sandbox", "--state"),
}


@dataclass
class Product:
    """A running script/run."""

    data_dir: Path
    port: int
    password: str
    process: "subprocess.Popen[bytes]"

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sandbox(self) -> str:
        return f"http://127.0.0.1:{(self.data_dir / 'sandbox_port').read_text()}/_sandbox"

    def is_ready(self) -> bool:
        """Return True if the web process reports that nothing is degraded."""
        if self.process.poll() is not None:
            raise RuntimeError("script/run has ended.")
        with suppress(requests.RequestException):
            answer = requests.get(f"{self.address}/readyz", timeout=5)
            return answer.status_code == 200 and "degraded" not in answer.text
        return False

    def find(self, target: str) -> list[psutil.Process]:
        """Return the process of `target`; of an engine, all of its processes."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if self._is(process, target):
                    found.append(process)
        return found

    def _is(self, process: psutil.Process, target: str) -> bool:
        if target == "PostgreSQL":
            return process.name() == "postgres" and Path(process.cwd()).is_relative_to(self.data_dir)
        if target == "Valkey":
            return "valkey" in process.name() and Path(process.cwd()) == self.data_dir
        words = process.cmdline()
        is_ours = process.environ().get("DATA_DIR") == str(self.data_dir)
        return is_ours and set(PROCESSES[target]) <= set(words) and "launch.guard" not in words


def main() -> None:
    """Cause every fault, print the recovery times, and exit 1 if anything disagrees."""
    parent = Path(tempfile.mkdtemp(prefix="faults-", dir="/tmp"))
    parent.chmod(0o711)
    product = _start(parent / "data")
    try:
        problems = _run(product)
    finally:
        product.process.send_signal(signal.SIGTERM)
        product.process.wait(60)
    for problem in problems:
        print(f"DISAGREES  {problem}")
    if problems:
        sys.exit(f"{len(problems)} disagreements; what script/run wrote is in {parent / 'output'}.")
    shutil.rmtree(parent)
    print("Sandbox, requests, calls, events and audit log agree. Nothing needed manual action.")


def _run(product: Product) -> list[str]:
    wait_for(product.is_ready, RECOVERY_SECONDS)
    requests.put(
        f"{product.sandbox}/settings",
        json={"answers": "connected", "ring_seconds": 0.3, "idle_seconds": 4, "rate": 60},
        timeout=10,
    ).raise_for_status()
    load = Load(product.address, product.password)
    load.begin()
    problems = []
    print(f"{'fault':<30} {'recovered after':>16}")
    for target in [*PROCESSES, "PostgreSQL", "Valkey"]:
        for kind, cause in (("killed", _kill), ("frozen 20 s", _freeze)):
            if (target, kind) == ("sandbox", "killed"):
                continue
            time.sleep(CALM_SECONDS)
            problems += _one(product, load, f"{target} {kind}", partial(cause, product, target))
    load.ending.set()
    print(f"placed meanwhile: {load.answers}; streams opened: {load.streams}")
    time.sleep(SETTLE_SECONDS)
    postgres = Postgres(product.data_dir)
    database_url = env.ensure_database(postgres.have(), env.SANDBOX_DATABASE)
    return problems + disagreements(database_url, product.sandbox)


def _one(product: Product, load: Load, name: str, cause: Callable[[], None]) -> list[str]:
    """Cause one fault and print the seconds until everything works again. Returns the problems."""
    cause()
    try:
        seconds = wait_for(lambda: _works(product, load), RECOVERY_SECONDS)
    except TimeoutError:
        print(f"{name:<30} {'not at all':>16}", flush=True)
        return [f"{name}: not everything worked again after {RECOVERY_SECONDS:g} s."]
    print(f"{name:<30} {seconds:>14.1f} s", flush=True)
    return []


def _works(product: Product, load: Load) -> bool:
    """Return True if a call can be placed, appears on the board, and the list is read on schedule."""
    if not product.is_ready():
        return False
    try:
        mark = _log(product)[-1]["number"]
        call = load.place()
        wait_for(lambda: call in load.seen, 10)
        wait_for(lambda: any(_is_list(entry) for entry in _log(product, mark)), 15)
    except (requests.RequestException, RuntimeError, TimeoutError, IndexError):
        return False
    return True


def _log(product: Product, since: int = 0) -> list[dict[str, Any]]:
    answer = requests.get(f"{product.sandbox}/log", params={"since": since}, timeout=10)
    return list(answer.json()["log"])


def _is_list(entry: dict[str, Any]) -> bool:
    return bool(entry["method"] == "GET" and entry["path"] == "/v0/connections")


def _kill(product: Product, target: str) -> None:
    for process in product.find(target):
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _freeze(product: Product, target: str) -> None:
    frozen = product.find(target)
    for process in frozen:
        process.suspend()
    time.sleep(FROZEN_SECONDS)
    for process in frozen:
        with suppress(psutil.NoSuchProcess):
            process.resume()


def _start(data_dir: Path) -> Product:
    port, password = env.free_port(), secrets.token_urlsafe(12)
    own = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    own |= {"DATA_DIR": str(data_dir), "ADMIN_PASSWORD": password, "SYNC_INTERVAL_SECONDS": "2"}
    with (data_dir.parent / "output").open("wb") as output:
        process = subprocess.Popen(
            [env.ROOT / "script" / "run", "--port", str(port), "--sandbox-calls", "2000"],
            env=own,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Product(data_dir, port, password, process)
