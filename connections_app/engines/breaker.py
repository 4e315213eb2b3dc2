"""A circuit breaker: work that needs a service is refused at once while the service does not answer."""

import logging
from collections.abc import Callable
from threading import Lock, Thread
from time import monotonic, sleep

logger = logging.getLogger(__name__)

PROBE_PAUSE_SECONDS = 0.5  # between two probes while the service is away
SUSPECT_PAUSE_SECONDS = 1.0  # slow work does not cause more probes of a service that answers


class Breaker:
    """Opens when a probe fails, keeps probing in its own thread, and closes when a probe succeeds.

    `probe` queries the service within a time limit, and raises one of `failures` if it does not answer.
    """

    def __init__(
        self, service: str, probe: Callable[[], None], failures: tuple[type[Exception], ...]
    ) -> None:
        self.service, self.probe, self.failures = service, probe, failures
        self.is_open = False
        self._lock = Lock()
        self._is_probing = False
        self._answered_at = float("-inf")

    def suspect(self) -> None:
        """Probe the service in the background, after work that needs it failed or takes long."""
        with self._lock:
            if self._is_probing or monotonic() - self._answered_at < SUSPECT_PAUSE_SECONDS:
                return
            self._is_probing = True
        Thread(target=self._probe_until_it_answers, daemon=True, name=f"{self.service} probe").start()

    def _probe_until_it_answers(self) -> None:
        try:
            while problem := self._problem():
                if not self.is_open:
                    logger.error("%s does not answer (%s): work is refused", self.service, problem)
                self.is_open = True
                sleep(PROBE_PAUSE_SECONDS)
            if self.is_open:
                logger.warning("%s answers again", self.service)
        finally:
            with self._lock:
                self._answered_at = monotonic()
                self.is_open = self._is_probing = False

    def _problem(self) -> str:
        """Probe once. Returns the name of the failure, or an empty text."""
        try:
            self.probe()
        except self.failures as problem:
            return type(problem).__name__
        return ""
