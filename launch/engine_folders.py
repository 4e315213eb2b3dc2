"""Where the private servers keep their data and sockets, and who may reach it."""

import hashlib
import os
import pwd
import subprocess
from importlib.util import find_spec
from pathlib import Path

from launch.engine_process import (
    EngineFailed,
)

LONGEST_SOCKET_FOLDER = 80  # bytes; what is left of some 104 holds "/postgres/.s.PGSQL.5432"


def make_folder(folder: Path) -> None:
    """Make DATA_DIR where it is missing: ours alone, but for PostgreSQL's user to pass through as root.

    Raises `EngineFailed` where that cannot be done, or nothing be kept in it.
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
    """A folder for sockets with a short enough path: in DATA_DIR, else a private one under /tmp."""
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
    """Take what the group and others may do from the files in DATA_DIR, and from those made from now on."""
    os.umask(0o077)
    for file in data_dir.iterdir():
        if file.is_file() and file.stat().st_uid == os.geteuid():
            file.chmod(0o600)


def reaches(owner: pwd.struct_passwd, path: Path) -> bool:
    """Whether the user `owner` can pass into the folder, or execute the program, at `path`."""
    probe = ["/bin/sh", "-c", 'test -x "$0"', str(path)]
    probed = subprocess.run(
        probe, check=False, user=owner.pw_uid, group=owner.pw_gid, extra_groups=[], cwd="/"
    )
    return probed.returncode == 0


def package_folder(name: str) -> Path:
    """Where a wheel's files lie; it is not imported, since that makes folders elsewhere."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise EngineFailed(f"The package {name} is missing; remove the folder .venv and try again.")
    return Path(spec.submodule_search_locations[0])
