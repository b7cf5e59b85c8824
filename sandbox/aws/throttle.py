"""Token buckets, with the sizes that AWS documents for each account, region and operation."""

import threading
import time
from collections import defaultdict

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
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: dict[tuple[str, ...], float] = {}
        self._at: dict[tuple[str, ...], float] = defaultdict(float)

    def take(self, key: tuple[str, ...], capacity: int, refill: int) -> bool:
        """Take a token; False where none is left."""
        now = time.monotonic()
        with self._lock:
            left = self._left.get(key, float(capacity))
            left = min(capacity, left + (now - self._at[key]) * refill)
            self._at[key] = now
            self._left[key] = left - 1 if left >= 1 else left
            return left >= 1
