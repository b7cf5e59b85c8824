"""How long an audit takes and what it needs: `make bench`, or `python -m tests.bench`.

Times are given as a multiple of a reference that the same run measures: reading every image and
instance once. So figures of different machines can be compared.
"""

import json
import os
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from typing import Any

# The rows are written by this process, the measures are taken in others, on the same database.
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from tests.bench.company import Size, fill  # noqa: E402
from tests.bench.measures import CHANGED  # noqa: E402

STEPS = (
    ("reference", "Reading every row"),
    ("full", "Full audit, the first"),
    ("full", "Full audit, nothing new"),
    ("incremental", "Incremental, nothing touched"),
    ("touch", ""),
    ("incremental", f"Incremental, {2 * CHANGED:,} touched"),
)


def main() -> None:
    asked = _asked()
    begun = time.perf_counter()
    call_command("migrate", verbosity=0)
    fill(Size(asked.images, asked.instances, asked.purchases))
    _say(
        f"{asked.images:,} images, {asked.instances:,} instances, {asked.purchases:,} purchases, "
        f"written in {time.perf_counter() - begun:.0f} s\n"
    )
    _say(f"{'':34}{'things':>9}{'seconds':>9}{'x ref.':>8}{'peak MiB':>10}{'queries':>9}")
    base = 0.0
    for name, label in STEPS:
        found = _in_its_own_process(name)
        base = base or found["seconds"]
        if label:
            _say(
                f"{label:34}{found['things']:>9,}{found['seconds']:>9.1f}"
                f"{found['seconds'] / base:>8.1f}{found['mib']:>10.0f}{found['queries']:>9,}"
            )


def _asked() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--instances", type=int, default=100_000)
    parser.add_argument("--purchases", type=int, default=10_000)
    return parser.parse_args()


def _in_its_own_process(name: str) -> dict[str, Any]:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "amiportal.settings"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.measures", name],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


main()
