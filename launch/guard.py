"""Run one process of the dashboard, and end it when the supervisor has ended for any reason.

`python -m launch.guard SUPERVISOR_PID COMMAND …`. The command and its guard share a process group.
"""

import os
import signal
import subprocess
import sys

CHECK_SECONDS = 1.0
END_SECONDS = 5.0


def main() -> None:
    """Run the command, and exit with its status."""
    signals = []
    # The whole group receives these: the child ends by them, and its guard waits for it.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: signals.append(True))
    supervisor = int(sys.argv[1])
    child = subprocess.Popen(sys.argv[2:])
    if signals:  # perhaps received before the child started
        child.terminate()
    while True:
        try:
            sys.exit(_exit_code(child.wait(CHECK_SECONDS)))
        except subprocess.TimeoutExpired:
            if os.getppid() != supervisor:  # orphans get another parent
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
