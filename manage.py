#!/usr/bin/env python
"""The door for people at a console.

Where DATABASE_URL and REDIS_URL are not set, a command finds the servers of the home or starts
them for itself.
"""

import os
import sys
from contextlib import nullcontext
from pathlib import Path

from django.core.management import execute_from_command_line
from django.db import OperationalError

from sandbox import local
from sandbox.errors import ServerFailed, ServerMissing

# These need no server.
ON_THEIR_OWN = {"check", "collectstatic", "help", "makemessages", "--help", "--version"}


def needs_servers(arguments: list[str]) -> bool:
    if all({name, f"{name}_FILE"} & os.environ.keys() for name in ("DATABASE_URL", "REDIS_URL")):
        return False
    return bool(arguments) and arguments[0] not in ON_THEIR_OWN and "--help" not in arguments


def main() -> None:
    root = Path(__file__).resolve().parent
    home = Path(os.environ.get("AMIPORTAL_HOME", root / "var")).absolute()
    os.environ["AMIPORTAL_HOME"] = str(home)  # for whom we start elsewhere
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "amiportal.settings")
    if "--demo" in sys.argv:
        os.environ["AMIPORTAL_DEMO"] = "true"  # before the settings are read
    # `up` stops when it is told to; other commands that still use its servers do not hold it.
    waits = sys.argv[1:2] != ["up"]
    wanted = needs_servers(sys.argv[1:])
    try:
        with local.servers(home, waits=waits) if wanted else nullcontext() as urls:
            if urls:
                os.environ.setdefault("DATABASE_URL", urls.database)
                os.environ.setdefault("REDIS_URL", urls.redis)
            local.ensure_secret_key(home)
            execute_from_command_line(sys.argv)
    except OSError as error:
        print(f"{home} can't be used: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    except (OperationalError, ServerFailed, ServerMissing) as error:
        print(error, file=sys.stderr)  # noqa: T201
        sys.exit(2)  # 1 is the answer of an audit that found something


if __name__ == "__main__":
    main()
