"""Run one bench of bench/ with its own engines: `script/bench sync`."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from launch import environment as env


def main(arguments: Sequence[str]) -> None:
    """Run the bench that the first argument names, and exit with its status."""
    benches = sorted(path.stem for path in (env.ROOT / "bench").glob("[a-z]*.py"))
    if not arguments or arguments[0] not in benches:
        sys.exit(f"Which bench? One of: {', '.join(benches)}")
    own = {"DATA_DIR": str(Path(".data") / "bench")}
    # As owner: some benches create databases and indexes.
    with env.ready(env.given() | own) as prepared:
        command = [sys.executable, "-m", f"bench.{arguments[0]}", *arguments[1:]]
        sys.exit(subprocess.run(command, cwd=env.ROOT, env=env.as_owner(prepared)).returncode)
