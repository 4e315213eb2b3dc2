"""The folders for the private servers' data and sockets, and the permissions on them."""

import hashlib
import os
import pwd
import subprocess
from importlib.util import find_spec
from pathlib import Path

from launch.engine_process import (
    EngineFailed,
)

LONGEST_SOCKET_FOLDER = 80  # bytes; a socket path has at most 104, and "/postgres/.s.PGSQL.5432" follows


def make_folder(folder: Path) -> None:
    """Create DATA_DIR if it is missing, private to this user; under root, PostgreSQL's user may pass through.

    Raises `EngineFailed` if it cannot be created or written to.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(folder.stat().st_mode & ~0o066 | (0o011 if os.geteuid() == 0 else 0))
        problem = "" if os.access(folder, os.W_OK | os.X_OK) else "Permission denied"
    except OSError as error:
        problem = error.strerror or str(error)
    if problem:
        raise EngineFailed(
            f"DATA_DIR is {str(folder)!r}; expected a folder that may be made and written to ({problem})."
        )


def socket_folder(data_dir: Path, owner: pwd.struct_passwd | None) -> Path:
    """Create and return a folder for sockets with a short path: in DATA_DIR, else a private one in /tmp.

    Raises `EngineFailed` if the folder belongs to another user.
    """
    folder = data_dir / "sockets"
    short = len(os.fsencode(folder)) <= LONGEST_SOCKET_FOLDER
    if not short or (owner is not None and not reaches(owner, data_dir)):
        folder = Path("/tmp") / f"sift-{hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]}"  # noqa: S108
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if folder.is_symlink() or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise EngineFailed(f"{folder} is not this user's alone; remove it and try again.")
    if owner:
        folder.chmod(0o711)  # PostgreSQL's user passes through
    return folder


def keep_private(data_dir: Path) -> None:
    """Remove all permissions of group and others from the files in DATA_DIR, and from files made later."""
    os.umask(0o077)
    for file in data_dir.iterdir():
        if file.is_file() and file.stat().st_uid == os.geteuid():
            file.chmod(0o600)


def reaches(owner: pwd.struct_passwd, path: Path) -> bool:
    """Return True if the user `owner` can enter the folder, or execute the program, at `path`."""
    probe = ["/bin/sh", "-c", 'test -x "$0"', str(path)]
    probed = subprocess.run(
        probe, check=False, user=owner.pw_uid, group=owner.pw_gid, extra_groups=[], cwd="/"
    )
    return probed.returncode == 0


def package_folder(name: str) -> Path:
    """Return the folder of a wheel's files, without importing it: an import creates folders elsewhere.

    Raises `EngineFailed` if it is not installed.
    """
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise EngineFailed(f"The package {name} is missing; remove the folder .venv and try again.")
    return Path(spec.submodule_search_locations[0])
