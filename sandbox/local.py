"""PostgreSQL and Valkey of one home: found if they run, started if not."""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox import postgres, valkey
from sandbox.guardian import Guardian
from sandbox.postgres import Postgres
from sandbox.valkey import Valkey

DATABASE = "amiportal"


@dataclass(frozen=True)
class Urls:
    database: str
    redis: str


@contextmanager
def servers(home: Path, *, waits: bool = True) -> Iterator[Urls]:
    """Give the servers of `home` for a while; whoever started them stops them in the end.

    Several processes may use them at once. The one that started them waits for the others before
    it stops them, if it `waits`.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (home / "start.lock").open("w") as start, (home / "use.lock").open("w") as use:
        fcntl.flock(start, fcntl.LOCK_EX)
        urls = running(home)
        if urls:
            fcntl.flock(use, fcntl.LOCK_SH)
            fcntl.flock(start, fcntl.LOCK_UN)
            yield urls
            return
        with _started(home) as urls:
            fcntl.flock(use, fcntl.LOCK_SH)
            fcntl.flock(start, fcntl.LOCK_UN)
            try:
                yield urls
            finally:
                # Nobody comes in from here on; who is in may finish.
                fcntl.flock(start, fcntl.LOCK_EX)
                if waits:
                    fcntl.flock(use, fcntl.LOCK_EX)


def running(home: Path) -> Urls | None:
    """Return where the servers of `home` answer; None unless both do."""
    sockets = postgres.running_sockets(home / "postgres")
    socket = valkey.running_socket(home / "valkey")
    if sockets is None or socket is None:
        return None
    return Urls(postgres.database_url(sockets, DATABASE), valkey.redis_url(socket))


@contextmanager
def _started(home: Path) -> Iterator[Urls]:
    guardian = Guardian()
    database, queue = Postgres(home / "postgres"), Valkey(home / "valkey")
    try:
        database.start(guardian)
        queue.start(guardian)
        postgres.ensure_database(database.sockets, DATABASE)
        yield Urls(database.url(DATABASE), queue.url)
    finally:
        queue.stop(guardian)
        database.stop(guardian)
        guardian.close()


def ensure_secret_key(home: Path) -> None:
    """Set AMIPORTAL_SECRET_KEY from the home where nothing sets it; made once."""
    if os.environ.get("AMIPORTAL_SECRET_KEY") or os.environ.get("AMIPORTAL_SECRET_KEY_FILE"):
        return
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = home / "secret-key"
    if not file.exists():
        with contextlib.suppress(FileExistsError):  # two commands at once: the first one counts
            _write_once(file, secrets.token_urlsafe(64))
    os.environ["AMIPORTAL_SECRET_KEY"] = file.read_text()


def _write_once(file: Path, text: str) -> None:
    draft = file.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(text)
    try:
        os.link(draft, file)
    finally:
        draft.unlink()
