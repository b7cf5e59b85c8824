"""What goes wrong, in an order that a seed decides."""

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import redis

from sandbox import valkey
from sandbox.guardian import family
from tests.chaos.company import Company
from tests.journeys.demo import ROOT, Demo

MAKING = ("RegisterImage", "CreateImage", "CopyImage")
ANYTHING = ("throttle", "server-error", "slow", "applied-then-dropped", "half-a-page")
FAULTS = [
    *((operation, kind) for operation in MAKING for kind in (*ANYTHING, "image-fails")),
    *((operation, "access-denied") for operation in MAKING),
    *(("DescribeImages", kind) for kind in ("throttle", "server-error", "half-a-page")),
    *(("DescribeImages", kind) for kind in ("slow", "access-denied")),
    *((operation, kind) for operation in ("DisableImage", "DeregisterImage") for kind in ANYTHING),
    ("DescribeImageReferences", "throttle"),
    ("AssumeRole", "throttle"),
    ("AssumeRole", "slow"),
]


class Havoc:
    """Kills, restarts and faults, until it is told to stop. `told` is what was done, in order."""

    def __init__(self, seed: int, demo: Demo, company: Company, workers: int) -> None:
        self._dice = random.Random(seed)  # noqa: S311  # to be repeated
        self._demo = demo
        self._company = company
        self._stopping = threading.Event()
        self._extra: list[subprocess.Popen[bytes] | None] = [None] * workers
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._trouble: Exception | None = None
        self.told: list[str] = []

    def start(self) -> None:
        self.keep_workers()
        self._thread.start()

    def stop(self) -> None:
        """Let nothing more go wrong; what is broken is mended by the portal itself."""
        self._stopping.set()
        self._thread.join()
        if self._trouble:
            raise self._trouble
        self._company.turn("faults")
        self._company.turn(
            "pace", pending_seconds=0, invisible_seconds=0, code_lag_seconds=0, name_held_seconds=0
        )
        self.keep_workers()

    def end(self) -> None:
        for worker in filter(None, self._extra):
            _kill(family({worker.pid}))
            worker.wait()

    def _run(self) -> None:
        try:
            self._rage()
        except Exception as error:  # noqa: BLE001  # raised again by `stop`
            self._trouble = error

    def _rage(self) -> None:
        while not self._stopping.wait(self._dice.uniform(0.4, 2.0)):
            act, weight = zip(*self._acts(), strict=True)
            chosen: Callable[[], str] = self._dice.choices(act, weight)[0]
            self.told.append(chosen())
            self.keep_workers()

    def _acts(self) -> list[tuple[Callable[[], str], int]]:
        return [
            (self._kill_a_worker, 40),
            (self._switch_a_fault_on, 45),
            (self._change_the_pace, 12),
            (self._kill_the_web_server, 6),
            (self._kill_valkey, 5),
            (self._empty_valkey, 5),
            (self._crash_postgres, 4),
            (self._kill_the_clock, 3),
        ]

    def _kill_a_worker(self) -> str:
        return self._kill_one_of("rqworker")

    def _kill_the_web_server(self) -> str:
        return self._kill_one_of("granian")

    def _kill_the_clock(self) -> str:
        return self._kill_one_of("clock")

    def _kill_valkey(self) -> str:
        return self._kill_one_of("valkey-server")

    def _crash_postgres(self) -> str:
        # SIGQUIT: every connection is cut at once, and the next start recovers from the log.
        return self._kill_one_of("postgres", number=signal.SIGQUIT)

    def _kill_one_of(self, word: str, *, number: signal.Signals = signal.SIGKILL) -> str:
        roots = self._demo.pids()
        for worker in filter(None, self._extra):
            roots |= family({worker.pid})
        named = sorted(pid for pid in roots if _has(pid, word))
        if word in {"postgres", "valkey-server"}:
            named = [pid for pid in named if _is_first(pid, word)]
        if not named:
            return f"no {word} to kill"
        pid = self._dice.choice(named)
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        return f"{number.name} to {word}"

    def _empty_valkey(self) -> str:
        socket = valkey.running_socket(self._demo.home / "valkey")
        with suppress(redis.RedisError, OSError):
            if socket:
                redis.Redis(unix_socket_path=str(socket)).flushall()
        return "FLUSHALL"

    def _switch_a_fault_on(self) -> str:
        operation, kind = self._dice.choice(FAULTS)
        times = self._dice.randint(1, 3)
        self._company.turn("faults", operation=operation, fault=kind, times=times, seconds=1.5)
        return f"{kind} of {operation}, {times} times"

    def _change_the_pace(self) -> str:
        pace = {
            "pending_seconds": self._dice.choice([0, 0, 2, 8]),
            "invisible_seconds": self._dice.choice([0, 0, 2, 10]),
            "code_lag_seconds": self._dice.choice([0, 0, 1]),
            "name_held_seconds": self._dice.choice([0, 5]),
        }
        self._company.turn("pace", **pace)
        return f"pace {pace}"

    def keep_workers(self) -> None:
        """Start the extra workers again: several are at the same rows at once."""
        for number, worker in enumerate(self._extra):
            if worker is None or worker.poll() is not None:
                self._extra[number] = self._worker()

    def _worker(self) -> subprocess.Popen[bytes]:
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "DJANGO_"))},
            "AMIPORTAL_HOME": str(self._demo.home),
            "AMIPORTAL_VERIFY_AGAIN_SECONDS": "2",
            "AWS_ENDPOINT_URL": self._company.url,
            "AWS_ACCESS_KEY_ID": "AKIA100000000001",
            "AWS_SECRET_ACCESS_KEY": "demo",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        for name in ("DATABASE_URL", "REDIS_URL"):
            environment.pop(name, None)
        return subprocess.Popen(
            [sys.executable, "manage.py", "rqworker", "--worker-ttl", "45", "register"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def _words(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
    except OSError:
        return ""


def _has(pid: int, word: str) -> bool:
    return word in _words(pid)


def _is_first(pid: int, word: str) -> bool:
    """Say whether it is the server itself and not one of its children."""
    try:
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError):
        return False
    return word not in _words(parent)


def _kill(pids: set[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
