"""Ends processes when the one that started them is gone, whatever ended it.

Run as a script it is the guardian: it reads process ids from its standard input and, when that
closes because its parent is no more, ends each of them with all that descends from it. Servers
orphaned by a SIGKILL would otherwise hold the data and the ports.
"""

import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

GRACE_SECONDS = 2.0


class Guardian:
    """The guardian of this process; give it every process that must not outlive us."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-E", __file__],
            stdin=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )

    def watch(self, pid: int) -> None:
        self._say(f"+{pid}")

    def release(self, pid: int) -> None:
        """Forget `pid`: it has ended, and its number may come again."""
        self._say(f"-{pid}")

    def close(self) -> None:
        """End whatever is still watched."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()

    def _say(self, line: str) -> None:
        if self._process.stdin:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()


def parents() -> dict[int, int]:
    """Return the parent of every process."""
    if Path("/proc/self/stat").exists():
        return dict(_linux_parents())
    listing = subprocess.run(
        ["/bin/ps", "-axo", "pid=,ppid="], capture_output=True, text=True, check=True
    )
    return {int(pid): int(ppid) for pid, ppid in map(str.split, listing.stdout.splitlines())}


def _linux_parents() -> list[tuple[int, int]]:
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            # The name, in brackets, may hold anything; the parent is the second word after it.
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        found.append((int(entry.name), int(fields[1])))
    return found


def family(roots: set[int]) -> set[int]:
    """Return `roots` and all that descends from them."""
    children = defaultdict(set)
    for pid, parent in parents().items():
        children[parent].add(pid)
    members, new = set(roots), set(roots)
    while new:
        new = {child for pid in new for child in children[pid]} - members
        members |= new
    return members


def send(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def end(roots: set[int]) -> None:
    """End `roots` with their descendants: first with a word, soon without."""
    members = family(roots)
    send(members, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < deadline and members & parents().keys():
        time.sleep(0.05)
    send(members & parents().keys(), signal.SIGKILL)


def main() -> None:
    watched: set[int] = set()
    for line in sys.stdin:
        pid = int(line[1:])
        if line[0] == "+":
            watched.add(pid)
        else:
            watched.discard(pid)
    end(watched & parents().keys())


if __name__ == "__main__":
    main()
