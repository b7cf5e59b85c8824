"""Starts processes in order, keeps them running, stops them in order, leaves no orphan."""

import contextlib
import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from sandbox.errors import ServerFailed
from sandbox.guardian import Guardian, family, left_behind, processes, send

logger = logging.getLogger(__name__)
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
STEADY_SECONDS = 20.0
STOP_SECONDS = 10.0


@dataclass
class Program:
    """A process that the supervisor keeps running."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    is_ready: Callable[[], bool] = field(default=lambda: True)
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    started_at: float = field(default=0.0, init=False)
    start_again_at: float = field(default=0.0, init=False)
    pause: float = field(default=FIRST_PAUSE, init=False)


class Supervisor:
    """Keeps its programs running from `start` to `stop`.

    SIGINT and SIGTERM make `watch` return. A SIGKILL of this process is met by the guardian.
    """

    def __init__(
        self,
        guardian: Guardian,
        logs: Path,
        *,
        folder: Path | None = None,
        stop_seconds: float = STOP_SECONDS,
    ) -> None:
        self._guardian = guardian
        self._folder = folder  # in which the programs start; None: the current one
        self._logs = logs
        self._stop_seconds = stop_seconds
        self._programs: list[Program] = []
        self._is_stopping = False
        logs.mkdir(parents=True, exist_ok=True)

    def listen(self) -> None:
        """Let SIGINT and SIGTERM end `wait_for` and `watch`."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask_to_stop)

    def start(self, program: Program) -> None:
        """Start `program`; `wait_for` tells when it is ready."""
        self._programs.append(program)
        self._launch(program)

    def wait_for(self, program: Program, *, seconds: float = 60.0) -> None:
        """Return when `program` is ready; ServerFailed if it is not in time."""
        deadline = time.monotonic() + seconds
        while not program.is_ready():
            self.check()
            if self._is_stopping:
                raise KeyboardInterrupt
            if time.monotonic() > deadline:
                log = self.log_of(program)
                raise ServerFailed(f"{program.name} does not answer. Its log says more: {log}")
            time.sleep(0.05)

    def run(self, command: Sequence[str]) -> int:
        """Run a command to its end and return its code, while the programs are kept running."""
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd=self._folder)
        self._guardian.watch(process.pid)
        try:
            while process.poll() is None:
                self.check()
                if self._is_stopping:
                    raise KeyboardInterrupt
                time.sleep(0.1)
        finally:
            if process.poll() is None:
                self._end(process)
            self._guardian.release(process.pid)
        return process.returncode

    def watch(self) -> None:
        """Start again whatever ends, until somebody asks to stop."""
        while not self._is_stopping:
            self.check()
            time.sleep(0.2)

    def check(self) -> None:
        """Look once at every program; start again what has ended and has paused enough."""
        now = time.monotonic()
        for program in self._programs:
            if program.process is None:
                if now >= program.start_again_at:
                    self._launch(program)
            elif program.process.poll() is not None:
                self._note_end(program, now)
            elif now - program.started_at > STEADY_SECONDS:
                program.pause = FIRST_PAUSE

    def stop(self) -> None:
        """Stop the programs, the last started first; each has some seconds for it."""
        for program in reversed(self._programs):
            if program.process is not None:
                self._end(program.process)
                self._guardian.release(program.process.pid)
        self._programs.clear()

    def log_of(self, program: Program) -> Path:
        return self._logs / f"{program.name}.log"

    def _launch(self, program: Program) -> None:
        with self.log_of(program).open("ab") as log:
            program.process = subprocess.Popen(
                program.command,
                env={**os.environ, **program.environment},
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches us only, and we stop in order
            )
        program.started_at = time.monotonic()
        self._guardian.watch(program.process.pid)

    def _note_end(self, program: Program, now: float) -> None:
        if program.process is None:
            return
        # A worker's child, or a server's, may outlive it and hold what the next one needs.
        send(left_behind(program.process.pid), signal.SIGKILL)
        self._guardian.release(program.process.pid)
        logger.warning(
            "%s ended with code %s; it starts again in %.1f s. Its log: %s",
            program.name,
            program.process.returncode,
            program.pause,
            self.log_of(program),
        )
        program.process = None
        program.start_again_at = now + program.pause
        program.pause = min(program.pause * 2, LONGEST_PAUSE)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        seen = processes()
        members = family({process.pid}, seen)
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(self._stop_seconds)
        # A worker's child has a group of its own and may outlive it.
        send(members, signal.SIGKILL, seen)
        process.wait()
        send(left_behind(process.pid), signal.SIGKILL)

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._is_stopping = True
