"""Start and stop a private server process, and limit the size of its log."""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil

START_SECONDS = 60.0  # long, since a server may recover from a crash first


STOP_SECONDS = 20.0


KILL_SECONDS = 5.0  # after the signal `last_resort`


LARGEST_LOG = 10 * 1024 * 1024  # bytes


class EngineFailed(Exception):
    """A server could not be started; the message has the last lines of its log, or what to do."""


def await_answer(name: str, server: subprocess.Popen[bytes], log: Path, answers: Callable[[], bool]) -> None:
    """Wait until a server that was just started answers.

    Raises `EngineFailed` with the end of its log if it ends or does not answer in time.
    """
    deadline = time.monotonic() + START_SECONDS
    try:
        while not answers():
            if server.poll() is not None:
                raise EngineFailed(f"{name} ended with status {server.returncode}.\n{last_lines(log)}")
            if time.monotonic() > deadline:
                raise EngineFailed(f"{name} did not answer in {START_SECONDS:.0f} s.\n{last_lines(log)}")
            time.sleep(0.02)
    except BaseException:
        server.terminate()
        raise


def await_end(process: psutil.Process, last_resort: signal.Signals) -> None:
    """Wait until a server that was asked to stop ends; send it `last_resort` after STOP_SECONDS."""
    if not ends_within(STOP_SECONDS, process):
        process.send_signal(last_resort)
        ends_within(KILL_SECONDS, process)


def ends_within(seconds: float, process: psutil.Process) -> bool:
    """Return True if the process ends in time. A zombie counts as ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            process.wait(0.02)
            return True
        except psutil.TimeoutExpired:
            if is_zombie(process):
                return True
    return False


def is_zombie(process: psutil.Process) -> bool:
    """Return True if the process has ended, whether or not its parent has reaped it."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def is_named(process: psutil.Process, name: str) -> bool:
    """Return True if the process runs and its program is called `name`."""
    try:
        return bool(process.name() == name)
    except psutil.Error:
        return False


def keep_log_small(log: Path) -> None:
    """Rotate a log that is larger than LARGEST_LOG; one older log is kept."""
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.rename(log.with_suffix(".log.1"))


def last_lines(log: Path, count: int = 15) -> str:
    """Return the last `count` lines of a log under a heading, or "" if there is no log."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    return "\n".join([f"The last lines of {log}:", *(f"  {line}" for line in lines[-count:])])
