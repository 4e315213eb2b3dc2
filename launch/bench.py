"""Run a bench of bench/ with engines of its own: `script/bench sync`."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from launch import environment as env


def main(arguments: Sequence[str]) -> None:
    benches = sorted(path.stem for path in (env.ROOT / "bench").glob("[a-z]*.py"))
    if not arguments or arguments[0] not in benches:
        sys.exit(f"Which bench? One of: {', '.join(benches)}")
    own = {"DATA_DIR": str(Path(".data") / "bench")}
    # Some make databases and indexes of their own.
    with env.ready(env.given() | own) as prepared:
        command = [sys.executable, "-m", f"bench.{arguments[0]}", *arguments[1:]]
        sys.exit(subprocess.run(command, cwd=env.ROOT, env=env.as_owner(prepared)).returncode)
