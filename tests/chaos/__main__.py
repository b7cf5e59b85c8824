"""A longer storm: `make chaos`, or `python -m tests.chaos --seed 7 --requests 500`."""

import secrets
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path

from tests.chaos.storm import storm


def main() -> int:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
    parser.add_argument("--requests", type=int, default=1_000)
    asked = parser.parse_args()
    _say(f"Seed {asked.seed}: repeat this storm with --seed {asked.seed}")
    with tempfile.TemporaryDirectory(prefix="amiportal-storm-") as home:
        outcome = storm(asked.seed, asked.requests, Path(home), _say)
    for line in outcome.told:
        _say(f"  {line}")
    _say(f"{dict(outcome.states)}, {outcome.refused} refused, {outcome.discarded} discarded, ")
    _say(f"{len(outcome.told)} things went wrong on purpose, {outcome.seconds:.0f} s")
    for line in outcome.wrong:
        _say(f"NOT TRUE: {line}")
    return 1 if outcome.wrong else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


sys.exit(main())
