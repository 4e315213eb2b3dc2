"""Restart the private engines when they die while the dashboard runs."""

from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic

from launch import locks
from launch.engine_process import EngineFailed
from launch.postgres import Postgres
from launch.supervisor import Failure, Pauses, Supervisor
from launch.valkey import Valkey

CHECK_SECONDS = 0.5


class EngineMonitor:
    """Restarts the private engines in `data_dir`: those without a URL in `env`. A frozen one is not dead."""

    def __init__(self, data_dir: Path, env: Mapping[str, str], supervisor: Supervisor) -> None:
        self.data_dir = data_dir
        self.supervisor = supervisor
        self.engines: list[tuple[str, Callable[[], bool], Callable[[], str]]] = []
        if not env.get("DATABASE_URL", "").strip():
            postgres = Postgres(data_dir)
            self.engines.append(("PostgreSQL", postgres.is_alive, postgres.have))
        if not env.get("REDIS_URL", "").strip():
            valkey = Valkey(data_dir)
            self.engines.append(("Valkey", valkey.is_alive, valkey.have))
        self.pauses = {name: Pauses() for name, *_ in self.engines}
        self.started = {name: monotonic() for name, *_ in self.engines}

    def watch(self) -> None:
        """Check the engines, and restart dead ones, until the supervisor ends."""
        while not self.supervisor.ending.wait(CHECK_SECONDS):
            for name, is_alive, start in self.engines:
                if not is_alive():
                    self._start_again(name, is_alive, start)

    def _start_again(self, name: str, is_alive: Callable[[], bool], start: Callable[[], str]) -> None:
        pause = self.pauses[name].after(monotonic() - self.started[name])
        if pause is None:
            self.supervisor.give_up(Failure(name, 1, (f"Its log is in {self.data_dir}.",)))
            return
        self.supervisor.say(f"{name} ended; it is started again in {pause:g} s.")
        if self.supervisor.ending.wait(pause):
            return
        self.started[name] = monotonic()
        try:
            with locks.exclusive(self.data_dir / "engines-start.lock"):
                if not is_alive():
                    start()
        except EngineFailed as error:
            self.supervisor.say(str(error))
