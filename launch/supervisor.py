"""Run the processes of the dashboard: restart those that die, and end all of them together."""

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, strftime

FIRST_PAUSE_SECONDS = 0.5  # before the first restart; it doubles with each further one
LONGEST_PAUSE_SECONDS = 30.0
STABLE_SECONDS = 60.0  # after this run time the pause is reset to the shortest
QUICK_SECONDS = 10.0  # a shorter run time counts as a quick death
MOST_QUICK_DEATHS = 5  # in a row; a further restart would not help
END_SECONDS = 5.0  # from SIGTERM until SIGKILL, for all processes together
LAST_LINES = 20


@dataclass(frozen=True)
class Failure:
    """Why the supervisor gave up: the process (or engine) that kept dying, and the end of its output."""

    name: str
    code: int
    last_lines: tuple[str, ...]

    def __str__(self) -> str:
        output = "\n".join(f"    {line}" for line in self.last_lines) or "    (it said nothing)"
        return (
            f"{self.name} ended (exit {self.code}) {MOST_QUICK_DEATHS} times in a row right after its start, "
            f"so everything was stopped. Its last lines:\n{output}"
        )


class Pauses:
    """Exponential back-off between restarts, and the limit on quick deaths."""

    def __init__(self) -> None:
        self.pause = FIRST_PAUSE_SECONDS
        self.quick_deaths = 0

    def after(self, lived_seconds: float) -> float | None:
        """Return the seconds to wait before the next start, or None after too many quick deaths."""
        self.quick_deaths = self.quick_deaths + 1 if lived_seconds < QUICK_SECONDS else 0
        if self.quick_deaths >= MOST_QUICK_DEATHS:
            return None
        if lived_seconds >= STABLE_SECONDS:
            self.pause = FIRST_PAUSE_SECONDS
        pause, self.pause = self.pause, min(2 * self.pause, LONGEST_PAUSE_SECONDS)
        return pause


class Child:
    """One process, restarted whenever it dies. Each line of its output is written after its name."""

    def __init__(self, name: str, command: Sequence[str], supervisor: "Supervisor") -> None:
        self.name = name
        self.command = command
        self.supervisor = supervisor
        self.last_lines: deque[str] = deque(maxlen=LAST_LINES)
        self.process: subprocess.Popen[str] | None = None
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self._keep_running, name=f"supervise {name}", daemon=True)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and its children."""
        with self.lock:
            if self.process:
                with suppress(ProcessLookupError):
                    os.killpg(self.process.pid, number)

    def _keep_running(self) -> None:
        pauses, ending = Pauses(), self.supervisor.ending
        while not ending.is_set():
            started = monotonic()
            code = self._run_once()
            if ending.is_set():
                return
            pause = pauses.after(monotonic() - started)
            if pause is None:
                self.supervisor.give_up(Failure(self.name, code, tuple(self.last_lines)))
                return
            self.supervisor.say(f"{self.name} ended (exit {code}); it is started again in {pause:g} s.")
            ending.wait(pause)

    def _run_once(self) -> int:
        """Run the process until it ends. Returns its exit code, or 128 + the signal that ended it."""
        with self.lock:
            if self.supervisor.ending.is_set():
                return 0
            self.process = subprocess.Popen(
                self.supervisor.guarded(self.command),
                env=self.supervisor.environment,
                cwd=self.supervisor.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        for line in self.process.stdout or ():
            if line.strip():
                self.last_lines.append(line.rstrip("\n"))
                self.supervisor.write(self.name, line.rstrip("\n"))
        code = self.process.wait()
        return code if code >= 0 else 128 - code


class Supervisor:
    """Runs all processes of one dashboard until a signal, or a process that keeps dying, ends them."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self.environment = dict(environment)
        self.folder = folder
        self.ending = threading.Event()
        self.failure: Failure | None = None
        self.children: list[Child] = []
        self.output = threading.Lock()

    def add(self, name: str, command: Sequence[str]) -> None:
        """Add a process that `run` will start."""
        self.children.append(Child(name, command, self))

    def run(self, *more: Callable[[], None]) -> Failure | None:
        """Start every process, and `more` in threads, and wait. Returns the failure that ended it, if any."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.ending.set())
        for child in self.children:
            child.thread.start()
        for work in more:
            threading.Thread(target=work, daemon=True).start()
        self.ending.wait()
        self._end_all()
        return self.failure

    def give_up(self, failure: Failure) -> None:
        """End everything because of `failure`; the first failure is kept."""
        self.failure = self.failure or failure
        self.ending.set()

    def say(self, line: str) -> None:
        """Write a line of the supervisor itself."""
        self.write("supervisor", line)

    def write(self, name: str, line: str) -> None:
        """Write a line with the time and the name of its process."""
        width = max((len(child.name) for child in self.children), default=0)
        with self.output:
            print(f"{strftime('%H:%M:%S')} {name:<{width}} | {line}", flush=True)

    @staticmethod
    def guarded(command: Sequence[str]) -> list[str]:
        """Return the command, run by a guard that ends it when this supervisor has ended."""
        return [sys.executable, "-S", "-m", "launch.guard", str(os.getpid()), *command]

    def _end_all(self) -> None:
        """Terminate every process; kill those that still run after END_SECONDS, such as frozen ones."""
        for child in self.children:
            child.signal(signal.SIGTERM)
        deadline = monotonic() + END_SECONDS
        for child in self.children:
            child.thread.join(max(0.0, deadline - monotonic()))
        for child in self.children:
            child.signal(signal.SIGKILL)
            child.thread.join(END_SECONDS)
