"""Ends processes when the one that started them is gone, whatever ended it.

Run as a script it is the guardian: it reads process ids and folders from its standard input and,
when that closes because its parent is no more, ends each process with all that descends from it,
and removes the folders. Servers orphaned by a SIGKILL would otherwise hold the data and the ports.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path

GRACE_SECONDS = 2.0


class Guardian:
    """The guardian of this process; give it every process that must not outlive us.

    The open file `lock`, if there is one, stays open until everything has ended.
    """

    def __init__(self, *, lock: int | None = None) -> None:
        self._watched: set[int] = set()
        self._passing: set[Path] = set()
        self._lock = lock
        self._process = self._start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def watch(self, pid: int) -> None:
        self._watched.add(pid)
        self._say(f"+{pid}")

    def release(self, pid: int) -> None:
        """Forget `pid`: it has ended, and its number may come again."""
        self._watched.discard(pid)
        self._say(f"-{pid}")

    def clear(self, folder: Path) -> None:
        """Remove `folder` when everything has ended: it is for this time only."""
        self._passing.add(folder)
        self._say(str(folder))

    def close(self) -> None:
        """End whatever is still watched."""
        if self._process.poll() is not None:
            self._replace()
        self._process.communicate()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-S", "-E", __file__],
            stdin=subprocess.PIPE,
            # Whoever reads what we print must not wait for the guardian.
            stdout=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
            pass_fds=() if self._lock is None else (self._lock,),
        )

    def _say(self, line: str) -> None:
        try:
            self._write(line)
        except BrokenPipeError:
            self._replace()

    def _replace(self) -> None:
        """Let another guardian take over from one that somebody killed."""
        self._process.communicate()
        self._process = self._start()
        for line in [*(f"+{pid}" for pid in self._watched), *map(str, self._passing)]:
            self._write(line)

    def _write(self, line: str) -> None:
        if self._process.stdin:
            self._process.stdin.write(f"{line}\n".encode())


@dataclass(frozen=True, slots=True)
class Process:
    """A process; ids come again, but never with the same start."""

    pid: int
    parent: int
    session: int
    started: str
    name: str


def processes() -> dict[int, Process]:
    """Return every process that runs, by its id."""
    found = _linux_processes() if Path("/proc/self/stat").exists() else _listed_processes()
    return {process.pid: process for process in found}


def _linux_processes() -> Iterator[Process]:
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            # The name, in brackets, may hold anything; what follows is counted from its end.
            head, _, tail = (entry / "stat").read_text(errors="replace").rpartition(")")
        except OSError:
            continue  # it has ended meanwhile
        state, parent, _, session, *rest = tail.split()
        if state not in "ZX":
            name = head.partition("(")[2]
            yield Process(int(entry.name), int(parent), int(session), rest[15], name)


def _listed_processes() -> Iterator[Process]:
    listing = subprocess.run(
        ["/bin/ps", "-axo", "pid=,ppid=,stat=,lstart=,comm="],
        capture_output=True,
        text=True,
        check=True,
    )
    for line in listing.stdout.splitlines():
        pid, parent, state, *words = line.split(maxsplit=8)  # the start has five words
        if not state.startswith("Z"):
            yield Process(int(pid), int(parent), 0, " ".join(words[:5]), words[-1])


def parents() -> dict[int, int]:
    """Return the parent of every process that runs."""
    return {pid: process.parent for pid, process in processes().items()}


def family(roots: Set[int], every: Mapping[int, Process] | None = None) -> set[int]:
    """Return the processes `roots`, all that descends from them, and what they left behind."""
    every = processes() if every is None else every
    return _with_descendants((roots & every.keys()) | _in_sessions(roots, every), every)


def left_behind(leader: int) -> set[int]:
    """Return what outlived a process that has ended, in the session that it had begun."""
    every = processes()
    return _with_descendants(_in_sessions({leader}, every), every)


def _in_sessions(leaders: Set[int], every: Mapping[int, Process]) -> set[int]:
    # A number that still names a session is not given to another process.
    return {p.pid for p in every.values() if p.session in leaders and p.session != p.pid}


def _with_descendants(new: set[int], every: Mapping[int, Process]) -> set[int]:
    members: set[int] = set()
    while new:
        members |= new
        new = {p.pid for p in every.values() if p.parent in new} - members
    return members


def send(pids: Set[int], number: signal.Signals, seen: Mapping[int, Process] | None = None) -> None:
    """Signal those that are there; where they were `seen` before, those that still are the same."""
    for pid in pids if seen is None else _still_there(pids, seen):
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def _still_there(pids: Set[int], seen: Mapping[int, Process]) -> set[int]:
    now = processes()
    return {pid for pid in pids & now.keys() & seen.keys() if _are_the_same(now[pid], seen[pid])}


def _are_the_same(one: Process, other: Process) -> bool:
    return (one.pid, one.started) == (other.pid, other.started)


def end(pids: Set[int], seen: Mapping[int, Process]) -> None:
    """End processes that were `seen`: first with a word, soon without."""
    send(pids, signal.SIGTERM, seen)
    deadline = time.monotonic() + GRACE_SECONDS
    while _still_there(pids, seen) and time.monotonic() < deadline:
        time.sleep(0.05)
    send(pids, signal.SIGKILL, seen)


def main() -> None:
    watched: dict[int, Process | None] = {}
    folders = []
    for line in sys.stdin:
        kind, rest = line[0], line[1:].rstrip("\n")
        if kind == "+":
            watched[int(rest)] = processes().get(int(rest))
        elif kind == "-":
            watched.pop(int(rest), None)
        elif kind == "/":
            folders.append(line.rstrip("\n"))
    now = processes()
    ours = {pid for pid, seen in watched.items() if _is_ours(pid, seen, now)}
    end(family(ours, now), now)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _is_ours(pid: int, seen: Process | None, now: Mapping[int, Process]) -> bool:
    """Say whether an id still is of who was seen, or of nobody: then only its session is left."""
    return pid not in now or (seen is not None and _are_the_same(seen, now[pid]))


if __name__ == "__main__":
    main()
