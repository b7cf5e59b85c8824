"""Forget the data of a home: `python -m sandbox.reset`."""

import os
import shutil
import sys
from pathlib import Path

from sandbox import local

# Only what we made; whatever else lies in the home stays.
OURS = ("postgres", "valkey", "log", "static")
OUR_FILES = ("postgres.log", "valkey.log", "aws-state.json", "secret-key")


def reset(home: Path) -> None:
    """Remove the data of `home`; refuse while its servers run."""
    if not home.exists():
        return
    if local.running(home):
        sys.exit(f"The portal still runs on {home}. Stop it first.")
    for name in OURS:
        shutil.rmtree(home / name, ignore_errors=True)
    for name in OUR_FILES:
        (home / name).unlink(missing_ok=True)


if __name__ == "__main__":
    default = Path(__file__).resolve().parent.parent / "var"
    reset(Path(os.environ.get("AMIPORTAL_HOME", default)).absolute())
