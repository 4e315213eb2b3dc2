"""Check and test everything, stopping at the first stage that fails."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from launch import environment as env
from launch import faults, locks
from launch.engine_folders import make_folder

TYPED = ("sift_dashboard", "connections_app", "sandbox", "launch")
# One process and one database for each core. Each takes whole files in the order of pytest-django: tests that
# empty the tables come last. -n 0 on the command line runs one process, for a debugger.
PARALLEL = ("-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder")
# The headless shell does without all that only a window needs: the browser tests take two thirds of the time.
BROWSERS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
PACKAGES = ("chromium-headless-shell", "chromium")  # Debian's; Ubuntu has the second alone


def main(arguments: Sequence[str]) -> None:
    """Run all stages. `--no-browser` skips the browser tests, `--faults` runs only the fault test.

    pytest receives all other arguments.
    """
    os.chdir(env.ROOT)
    given = list(arguments)
    if "--faults" in given:
        faults.main()
        return
    chosen = ["-m", "not browser"] if "--no-browser" in given else []
    chosen += [word for word in given if word != "--no-browser"]
    started = time.monotonic()
    # Tests must not use an account in .env.
    own = {
        "DATA_DIR": str(Path(".data") / "test"),
        "SIFT_ACCOUNT_ID": "tests",
        "SIFT_AUTH_TOKEN": "tests-token",
    }
    inherited = {
        name: value for name, value in env.given().items() if not name.startswith(("SIFT_", "ADMIN_"))
    }
    folder = env.data_dir(own)
    make_folder(folder)
    # Two runs at the same time would use the same test database.
    with locks.exclusive(folder / "test.lock"), env.ready(inherited | own, throw_away=True) as prepared:
        for name, command in stages():
            _stage(name, command, prepared)
        if "--no-browser" in given:
            print("Browser tests are left out (--no-browser).", flush=True)
        else:
            prepared["CHROMIUM"] = chromium()
        _stage("collectstatic", [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"], prepared)
        _stage("pytest", [sys.executable, "-m", "pytest", *PARALLEL, *chosen], prepared)
    print(f"All stages passed in {time.monotonic() - started:.0f} s.")


def stages() -> list[tuple[str, list[str]]]:
    """Return the checks that run before the tests, in order, by name; each takes seconds."""
    python = sys.executable
    return [
        ("ruff", [python, "-m", "ruff", "check", "."]),
        ("ruff format", [python, "-m", "ruff", "format", "--check", "."]),
        ("mypy", [python, "-m", "mypy", *TYPED]),
        ("import-linter", [str(Path(python).parent / "lint-imports"), "--no-logo"]),
        ("deptry", [python, "-W", "ignore", "-m", "deptry", ".", "--config", "deptry.toml"]),
        ("djlint", [python, "-m", "djlint", "--lint", "--quiet", "templates"]),
        ("migrations", [python, "manage.py", "makemigrations", "--check", "--dry-run"]),
    ]


def chromium() -> str:
    """Return the path of Chromium, installed with apt-get if needed and possible; exit without one."""
    if found := _found():
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing Chromium …", flush=True)
        quiet = {"stdout": subprocess.DEVNULL, "env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"}}
        subprocess.run(["apt-get", "update", "-qq"], check=False, **quiet)  # type: ignore[call-overload]
        for package in PACKAGES:
            subprocess.run(["apt-get", "install", "-y", "-qq", package], check=False, **quiet)  # type: ignore[call-overload]
            if found := _found():
                return found
    sys.exit(
        "The browser tests need Chromium on PATH. Install it, or leave them out: script/test --no-browser"
    )


def _found() -> str | None:
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


def _stage(name: str, command: Sequence[str], environment: dict[str, str]) -> None:
    started = time.monotonic()
    print(f"── {name}", flush=True)
    code = subprocess.run(command, env=environment).returncode
    if code:
        sys.exit(f"{name} failed (exit {code}).")
    print(f"   {name}: {time.monotonic() - started:.1f} s", flush=True)
