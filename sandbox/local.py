"""PostgreSQL and Valkey of one home: found if they run, started if not."""

import contextlib
import logging
import os
import secrets
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox import postgres, postmaster, valkey
from sandbox.errors import ServerFailed
from sandbox.guardian import Guardian
from sandbox.locks import Lock, Locks, locks_of
from sandbox.postgres import Postgres
from sandbox.valkey import Valkey

logger = logging.getLogger(__name__)
DATABASE = "amiportal"
ANSWER_SECONDS = 60.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0


@dataclass(frozen=True)
class Urls:
    database: str
    redis: str


@contextmanager
def servers(home: Path, *, waits: bool = True) -> Iterator[Urls]:
    """Give the servers of `home` for a while; whoever started them stops them in the end.

    Several processes may use them at once. The one that started them waits for the others before
    it stops them, if it `waits`. If it does not, it is one that runs for long: then it starts
    again what ends in between.
    """
    with ExitStack() as stack:
        locks = stack.enter_context(locks_of(home))
        locks.start.take()
        if not locks.owner.try_to_take():
            urls = _others(home)
        elif _are_in_use(home, locks):
            locks.owner.release()
            urls = _others(home)
        else:
            urls = stack.enter_context(_owned(home, locks, waits=waits))
        locks.use.share()
        locks.start.release()
        yield urls


@contextmanager
def _owned(home: Path, locks: Locks, *, waits: bool) -> Iterator[Urls]:
    locks.guardian.take()
    _end_orphans(home)
    with _started(home, locks.guardian, keeps=not waits) as urls:
        try:
            yield urls
        finally:
            try:
                if waits:
                    _wait_for_others(locks)
            finally:
                locks.start.take()  # nobody comes in from here on


def _wait_for_others(locks: Locks) -> None:
    """Return when nobody else uses the servers, and let nobody in any more.

    Meanwhile others may come and go: they take the start lock for a moment each.
    """
    told = False
    while True:
        locks.start.take()
        locks.use.release()
        if locks.use.try_to_take():
            return
        locks.start.release()
        if not told:
            sys.stderr.write("Others still use the servers; waiting until they are done.\n")
            told = True
        time.sleep(0.1)


def _are_in_use(home: Path, locks: Locks) -> bool:
    """Say whether the servers run although who started them is gone, and somebody uses them.

    They may be about to end: then that is waited for.
    """
    locks.guardian.take()
    locks.guardian.release()
    return running(home) is not None and not locks.use.try_to_take()


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Keep everybody else out of `home` for a while; ServerFailed if somebody uses it."""
    with locks_of(home) as locks, contextlib.closing(Lock(home / "up.lock")) as up:
        locks.start.take()
        is_idle = up.try_to_take() and locks.owner.try_to_take()
        if not is_idle or _are_in_use(home, locks):
            raise ServerFailed(f"The portal still runs on {home}. Stop it first.")
        _end_orphans(home)
        yield


def _end_orphans(home: Path) -> None:
    postmaster.end_orphan(home / "postgres")
    valkey.end_orphan(home / "valkey")


def _others(home: Path) -> Urls:
    """Return the servers that another process started; they may be starting again."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while (urls := running(home)) is None:
        if time.monotonic() > deadline:
            raise ServerFailed(
                f"Another command started the servers of {home}, and they do not answer. "
                f"End that command, or look into {home / 'postgres.log'} and valkey.log there."
            )
        time.sleep(0.05)
    return urls


def running(home: Path) -> Urls | None:
    """Return where the servers of `home` answer; None unless both do."""
    sockets = postmaster.running_sockets(home / "postgres")
    socket = valkey.running_socket(home / "valkey")
    if sockets is None or socket is None:
        return None
    return Urls(postgres.database_url(sockets, DATABASE), valkey.redis_url(socket))


@contextmanager
def _started(home: Path, lock: Lock, *, keeps: bool) -> Iterator[Urls]:
    guardian = Guardian(lock=lock.number)
    database, queue = Postgres(home / "postgres"), Valkey(home / "valkey")
    keeper = _Keeper([database, queue], guardian)
    try:
        database.start(guardian)
        queue.start(guardian)
        urls = Urls(database.url(DATABASE), queue.url)
        if database.sockets:
            postgres.ensure_database(database.sockets, DATABASE)
        if keeps:
            keeper.start()
        yield urls
    finally:
        keeper.stop()
        queue.stop(guardian)
        database.stop(guardian)
        guardian.close()


class _Keeper(threading.Thread):
    """Starts servers again that ended by themselves, where they were."""

    def __init__(self, kept: list[Postgres | Valkey], guardian: Guardian) -> None:
        super().__init__(daemon=True)
        self._servers = kept
        self._guardian = guardian
        self._stopping = threading.Event()

    def run(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopping.wait(pause):
            for server in self._servers:
                if server.process is None or server.process.poll() is None:
                    continue
                logger.warning("A server ended; it starts again. Its log: %s", server.log)
                self._guardian.release(server.process.pid)
                try:
                    server.start(self._guardian)
                    pause = FIRST_PAUSE
                except ServerFailed as error:
                    logger.warning("%s", error)
                    pause = min(pause * 2, LONGEST_PAUSE)

    def stop(self) -> None:
        self._stopping.set()
        if self.is_alive():
            self.join()


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
