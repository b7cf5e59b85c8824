"""Forget the data of a home: `python -m sandbox.reset`."""

import os
import shutil
import sys
from pathlib import Path

from sandbox import local
from sandbox.errors import ServerFailed
from sandbox.sockets import forget_socket

# Only what we made; whatever else lies in the home stays.
OURS = ("postgres", "postgres.new", "valkey", "log", "static")
OUR_FILES = ("postgres.log", "valkey.log", "aws-state.json", "aws-state.new", "secret-key", "kind")


def reset(home: Path) -> None:
    """Remove the data of `home`; ServerFailed while somebody uses it.

    A folder in which no server was ever started is no home: it stays as it is.
    """
    if not (home / "start.lock").exists():
        return
    with local.alone(home):
        for note in (home / "postgres.socket", home / "valkey" / "socket"):
            forget_socket(note)
        for name in OURS:
            if (home / name).exists():
                shutil.rmtree(home / name)
        for name in OUR_FILES:
            (home / name).unlink(missing_ok=True)


def main() -> None:
    default = Path(__file__).resolve().parent.parent / "var"
    try:
        reset(Path(os.environ.get("AMIPORTAL_HOME", default)).absolute())
    except (ServerFailed, PermissionError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
