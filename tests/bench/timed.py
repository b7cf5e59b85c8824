"""How long something took, how much of the processor, and the most memory of its process."""

import resource
import sys
import time
from pathlib import Path
from typing import Any, Self


class Timed:
    """Measures what is done within it, in the process that does nothing else."""

    def __enter__(self) -> Self:
        self._begun, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *error: object) -> None:
        self._seconds = time.perf_counter() - self._begun
        self._processor = time.process_time() - self._cpu

    def figures(self) -> dict[str, Any]:
        return {"seconds": self._seconds, "cpu": self._processor, "mib": _peak_mib()}


def _peak_mib() -> float:
    """Return the most memory that this process has had."""
    status = Path("/proc/self/status")
    if status.exists():  # elsewhere, what the parent has had counts too
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 / (1024 if sys.platform == "darwin" else 1)
