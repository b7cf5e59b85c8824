"""The most memory that this process has had."""

import resource
import sys
from pathlib import Path


def peak_mib() -> float:
    status = Path("/proc/self/status")
    if status.exists():  # elsewhere, what the parent has had counts too
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 / (1024 if sys.platform == "darwin" else 1)
