"""Real worker processes and a real clock, on the database and the queues of the tests."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from django.conf import settings
from django.db import connection

from sandbox.guardian import family, send

PATIENCE_SECONDS = 60.0


class Workers:
    """The processes that a test has started; none outlives `end`."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, queue: str) -> subprocess.Popen[bytes]:
        """Start a worker as `up` does."""
        return self._manage("rqworker", "--worker-ttl", "45", queue)

    def start_clock(self) -> subprocess.Popen[bytes]:
        return self._manage("clock")

    def end(self) -> None:
        for process in self._processes:
            kill(process)

    def _manage(self, *command: str) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "DATABASE_URL": database_url(),
            "REDIS_URL": settings.REDIS_URL,
            "DJANGO_SETTINGS_MODULE": "amiportal.settings",
        }
        process = subprocess.Popen(
            [sys.executable, "manage.py", *command],
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._processes.append(process)
        return process


def database_url() -> str:
    """Return the URL of the database that the tests made beside the one they were given."""
    return os.environ["DATABASE_URL"].replace("/postgres?", f"/{connection.settings_dict['NAME']}?")


def kill(process: subprocess.Popen[bytes]) -> None:
    """Send SIGKILL to a worker and to the work horses that it has forked."""
    send(family({process.pid}), signal.SIGKILL)
    process.wait()


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    """Return when it is so; fail where it is not in time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"Not in time: {what}."
        time.sleep(0.05)
