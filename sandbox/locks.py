"""The locks of a home, by which processes that share its servers know of each other."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import ServerFailed


class Lock:
    """A lock between processes; the system releases it with the process, whatever ended it."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("w")
        self.number = self._file.fileno()

    def take(self) -> None:
        fcntl.flock(self.number, fcntl.LOCK_EX)

    def try_to_take(self) -> bool:
        try:
            fcntl.flock(self.number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def share(self) -> None:
        fcntl.flock(self.number, fcntl.LOCK_SH)

    def release(self) -> None:
        fcntl.flock(self.number, fcntl.LOCK_UN)

    def close(self) -> None:
        self._file.close()


@dataclass(frozen=True)
class Locks:
    start: Lock  # for the moments of coming and going
    use: Lock  # shared by all who use the servers
    owner: Lock  # of the one who started them
    guardian: Lock  # of the owner and its guardian together: free when everything has ended


@contextmanager
def locks_of(home: Path) -> Iterator[Locks]:
    """Open the locks of a home, and make it where it is missing; none of them is taken yet."""
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        names = ("start", "use", "owner", "guardian")
        locks = Locks(*(Lock(home / f"{name}.lock") for name in names))
    except PermissionError as error:
        raise ServerFailed(
            f"{error.filename} belongs to somebody else. Start the portal as they do, or give it "
            "another home with AMIPORTAL_HOME."
        ) from None
    try:
        yield locks
    finally:
        for lock in (locks.start, locks.use, locks.owner, locks.guardian):
            lock.close()
