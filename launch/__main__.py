"""Runs inside .venv: hands over to the part that script/run, script/test or script/manage asks for."""

import sys
from importlib import import_module
from pathlib import Path


def main() -> None:
    # Started by its folder's path, so that a command keeps the folder that it was called in.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    command = sys.argv.pop(1)
    import_module(f"launch.{command}").main(sys.argv[1:])


if __name__ == "__main__":
    main()
