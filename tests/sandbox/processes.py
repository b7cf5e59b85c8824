"""Processes for tests of processes: started, asked, ended; none is left behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sandbox.guardian import family, left_behind, processes, send

ROOT = Path(__file__).resolve().parent.parent.parent
NOBODY = 65534
# As nobody one may not read a checkout in a private home; this right is all that is left of root.
AS_NOBODY = [
    *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
    *("--securebits=+no_setuid_fixup", "--inh-caps=+dac_override", "--ambient-caps=+dac_override"),
    "--",
]


def becomes(is_so: Callable[[], object], *, seconds: float = 20.0) -> bool:
    """Say whether something comes true in time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def are_gone(pids: set[int], *, seconds: float = 20.0) -> bool:
    return becomes(lambda: not pids & processes().keys(), seconds=seconds)


def descendants(pid: int) -> set[int]:
    return family({pid}) - {pid}


@contextmanager
def running(*command: str, prefix: list[str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """Run Python with the arguments `command`; in the end it is killed, and all that is left."""
    words = [*(prefix or []), sys.executable, *command]
    process = subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        start_new_session=True,
    )
    try:
        yield process
    finally:
        seen = processes()
        members = family({process.pid}, seen)
        process.kill()
        process.wait()
        are_gone(members, seconds=5)  # a guardian, if there is one, cleans up
        send(members, signal.SIGKILL, seen)
        send(left_behind(process.pid), signal.SIGKILL)
        for stream in (process.stdin, process.stdout, process.stderr):
            _close(stream)


def _close(stream: IO[str] | None) -> None:
    if stream and not stream.closed:
        try:
            stream.close()
        except BrokenPipeError:
            return


def said(process: subprocess.Popen[str], *, seconds: float = 60.0) -> str:
    """Return the next line that a process prints; nothing if it prints none in time."""
    return _next_line(process, process.stdout, seconds)


def warned(process: subprocess.Popen[str], *, seconds: float = 60.0) -> str:
    """Return the next line that a process prints as an error."""
    return _next_line(process, process.stderr, seconds)


def _next_line(process: subprocess.Popen[str], stream: IO[str] | None, seconds: float) -> str:
    # Whoever is silent for too long is killed: then the line has an end.
    timer = threading.Timer(seconds, lambda: send(family({process.pid}), signal.SIGKILL))
    timer.start()
    try:
        return stream.readline().strip() if stream else ""
    finally:
        timer.cancel()


def leave(process: subprocess.Popen[str], *, seconds: float = 30.0) -> int:
    """Let a process come to its end, and return its code."""
    process.stdin.close()
    return process.wait(timeout=seconds)
