"""Run the command that script/run, script/test or script/manage names, inside .venv."""

import sys
from importlib import import_module
from pathlib import Path


def main() -> None:
    """Import `launch.COMMAND` and run its `main` with the remaining arguments."""
    # Started by the path of its folder, so that a command keeps the current folder of its caller.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    command = sys.argv.pop(1)
    import_module(f"launch.{command}").main(sys.argv[1:])


if __name__ == "__main__":
    main()
