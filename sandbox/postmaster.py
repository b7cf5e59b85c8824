"""Who runs on the data of a PostgreSQL, by the mark that the server leaves there."""

import os
import signal
import time
from pathlib import Path

from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping

from sandbox.guardian import processes

STOP_SECONDS = 30


def answers(sockets: Path) -> bool:
    """Say whether a server on the socket in `sockets` takes connections, even if it is full."""
    conninfo = make_conninfo(
        host=str(sockets), dbname="postgres", user="postgres", connect_timeout=5
    )
    return PGconn.ping(conninfo.encode()) == Ping.OK


def running_sockets(folder: Path) -> Path | None:
    """Return the socket folder of the server that runs on the data in `folder`, if one does."""
    lines = _pid_file(folder)
    if len(lines) < 5:  # noqa: PLR2004  # still starting: the fifth line names the folder
        return None
    sockets = Path(lines[4])
    return sockets if answers(sockets) else None


def end_orphan(folder: Path) -> None:
    """End the server on the data in `folder` when nobody is left who would; its parent is gone."""
    pid = _live_pid(folder)
    if pid is None or not (_works_in(pid, folder) or running_sockets(folder)):
        return
    for number, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGKILL, 1)):
        os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while pid in processes():
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        else:
            return


def forget_dead(folder: Path) -> None:
    """Remove the mark of a server that was killed.

    PostgreSQL itself would do so, but not where the dead is not buried, as in a container without
    an init, or where another process has its id by now.
    """
    if _live_pid(folder) is None:
        (folder / "postmaster.pid").unlink(missing_ok=True)


def _live_pid(folder: Path) -> int | None:
    """Return the id of the server on the data in `folder`, also of one that does not answer.

    Where that is not certain, it is taken for one: its mark keeps a second one from the data.
    """
    lines = _pid_file(folder)
    if not lines or not lines[0].isdecimal():
        return None
    process = processes().get(int(lines[0]))
    if process is None or "postgres" not in process.name:
        return None
    return None if _works_in(process.pid, folder) is False else process.pid


def _works_in(pid: int, folder: Path) -> bool | None:
    """Say whether a process works in `folder`, as a server does in its data; None: not known."""
    try:
        return Path(f"/proc/{pid}/cwd").samefile(folder)
    except OSError:
        return None


def _pid_file(folder: Path) -> list[str]:
    try:
        return (folder / "postmaster.pid").read_text().splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return []
