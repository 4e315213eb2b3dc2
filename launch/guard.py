"""Run one process of the dashboard, and end it when the supervisor is gone, however that went.

`python -m launch.guard SUPERVISOR_PID COMMAND …`. The command and its guard share a process group.
"""

import os
import signal
import subprocess
import sys

import psutil

LOOK_SECONDS = 1.0
END_SECONDS = 5.0


def main() -> None:
    told = []
    # The group gets these as well: the child obeys them, and its guard waits for it.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.append(True))
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # the supervisor starts us with signals held back
    supervisor = psutil.Process(int(sys.argv[1]))
    child = subprocess.Popen(sys.argv[2:])
    if told:  # perhaps before there was a child to hear it
        child.terminate()
    while True:
        try:
            sys.exit(_exit_code(child.wait(LOOK_SECONDS)))
        except subprocess.TimeoutExpired:
            if not supervisor.is_running() or supervisor.status() == psutil.STATUS_ZOMBIE:
                _end(child)


def _end(child: "subprocess.Popen[bytes]") -> None:
    child.terminate()
    try:
        child.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(0, signal.SIGKILL)


def _exit_code(returned: int) -> int:
    return returned if returned >= 0 else 128 - returned


if __name__ == "__main__":
    main()
