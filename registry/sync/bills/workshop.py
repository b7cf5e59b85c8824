"""The folders in which copies of a report lie while it is read."""

import shutil
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

_PREFIX = "amiportal-bill-"
# No file takes so long to read that its folder stands still for a day.
_LEFT_BEHIND = timedelta(days=1)


def workshop() -> TemporaryDirectory[str]:
    """Return a folder of its own, which goes with it."""
    return TemporaryDirectory(prefix=_PREFIX)


def clear_left_behind(*, at: datetime) -> None:
    """Remove the folders whose worker died before it could."""
    for folder in Path(gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(FileNotFoundError):  # its worker lives, and was done with it
            touched_at = datetime.fromtimestamp(folder.lstat().st_mtime, tz=UTC)
            if touched_at < at - _LEFT_BEHIND and not folder.is_symlink():
                shutil.rmtree(folder, ignore_errors=True)
