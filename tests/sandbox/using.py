"""A process that uses the servers of a home: `python -m tests.sandbox.using HOME [--keeps]`.

It says where they are and goes on until its input ends.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from sandbox import local
from sandbox.errors import ServerFailed


def main() -> None:
    home, *options = sys.argv[1:]
    try:
        with local.servers(Path(home), waits="--keeps" not in options) as urls:
            sys.stdout.write(json.dumps(asdict(urls)) + "\n")
            sys.stdout.flush()
            sys.stdin.read()
            if "--fails" in options:
                sys.exit(3)
    except ServerFailed as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
