"""The demo as somebody starts it: a process, its home, the lines that it prints."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from sandbox.guardian import family, parents

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 240
READY = re.compile(r"Ready: (http://127\.0\.0\.1:\d+)/")


class Demo:
    """`manage.py up --demo` on a home of its own."""

    def __init__(self, home: Path, *, aws_port: int = 8001) -> None:
        self.home = home
        self.aws_port = aws_port  # or another one, if this is taken
        self.lines: list[str] = []
        self.url = ""
        self.process: subprocess.Popen[str] | None = None

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> "Demo":
        """Start it, unless it runs, and return when it says that it is ready."""
        if self.is_running:
            return self
        self.lines.clear()
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "AMIPORTAL_HOME": str(self.home),
            "AMIPORTAL_VERIFY_AGAIN_SECONDS": "2",
        }
        for name in ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "AMIPORTAL_HTTPS"):
            environment.pop(name, None)
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--demo", "--aws-port", str(self.aws_port)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, args=[self.process], daemon=True).start()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.is_running:
            ready = [match for line in self.lines if (match := READY.search(line))]
            if ready:
                self.url = ready[0][1]
                return self
            time.sleep(0.1)
        raise AssertionError("The demo did not become ready:\n" + "\n".join(self.lines))

    def _read(self, process: subprocess.Popen[str]) -> None:
        if process.stdout is None:
            return
        with process.stdout as output:
            for line in output:
                self.lines.append(line.rstrip())

    def pids(self) -> set[int]:
        """Return every process of the demo, the servers and the guardian included."""
        return family({self.process.pid}) if self.process else set()

    def end(self, number: signal.Signals) -> int:
        """Send the signal and return the exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(number)
        return self.process.wait(60)


def left_of(pids: set[int], *, seconds: float) -> set[int]:
    """Return which of the processes are still there after at most so many seconds."""
    deadline = time.monotonic() + seconds
    left = pids & parents().keys()
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = pids & parents().keys()
    return left
