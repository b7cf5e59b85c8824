"""Let the garbage collector wait while much is made that is in no cycle.

It would look through all of a large fleet again and again, a fifth of the time, and find nothing.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collector() -> Iterator[None]:
    """Let nothing be collected meanwhile; afterwards it is as it was before."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
