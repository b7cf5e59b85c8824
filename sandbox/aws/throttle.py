"""Token buckets, with the sizes that AWS documents for each account, region and operation."""

import threading
import time
from collections.abc import Callable, Hashable

_READS = ("Describe", "Get", "List")
_SPECIAL = {
    "CopyImage": (100, 1),
    "DeregisterImage": (100, 5),
    "ModifyImageAttribute": (100, 5),
    "CreateTags": (100, 10),
}
# Reads of whole collections, neither filtered nor paged.
_COSTLY = frozenset({"DescribeInstances", "DescribeSnapshots", "DescribeVolumes"})


def size(operation: str, *, is_bounded: bool) -> tuple[int, int]:
    """Return the capacity of a bucket and how many tokens come back each second."""
    if operation in _SPECIAL:
        return _SPECIAL[operation]
    if operation.startswith(_READS):
        return (50, 10) if operation in _COSTLY and not is_bounded else (100, 20)
    return 50, 5


class Buckets:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._left: dict[Hashable, tuple[float, float]] = {}  # tokens, and when that was

    def take(self, key: Hashable, capacity: int, refill: int) -> bool:
        """Take a token; False where none is left."""
        with self._lock:
            now = self._clock()
            tokens, at = self._left.get(key, (float(capacity), now))
            tokens = min(float(capacity), tokens + (now - at) * refill)
            is_there = tokens >= 1
            self._left[key] = (tokens - is_there, now)
        return is_there
