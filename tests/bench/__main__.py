"""How long an audit takes and what it needs: `make bench`, or `python -m tests.bench`.

Besides, what the application of purchases takes without a database, and what naive rules get wrong
on the same fleet. Purchases are to be applied in 3 s and 1 GiB, images to be ranked in 10 s.

Times are given as a multiple of a reference that the same run measures: reading every image and
instance once. So figures of different machines can be compared. Of a machine that is shared, the
processor time says more: that of Python, without that of the database.
"""

import json
import os
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace

# The rows are written by this process, the measures are taken in others, on the same database.
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from tests.bench.company import Size, fill  # noqa: E402
from tests.bench.measures import CHANGED  # noqa: E402
from tests.bench.pure import PURCHASES  # noqa: E402

STEPS = (
    ("measures", "reference", "Reading every row"),
    ("measures", "full", "Full audit, the first"),
    ("measures", "full", "Full audit, nothing new"),
    ("measures", "incremental", "Incremental, nothing touched"),
    ("measures", "touch", ""),
    ("measures", "incremental", f"Incremental, {2 * CHANGED:,} touched"),
    ("measures", "thirty_days", "Use of purchases over 30 days"),
    ("measures", "waste", "Waste of all purchases"),
    ("pure", "apply", f"Applying {PURCHASES:,} purchases"),
    ("pure", "rank", "Ranking images without their code"),
    ("pure", "changes", "Ranking all changes"),
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
    heads = f"{'things':>9}{'seconds':>9}{'CPU s':>8}{'x ref.':>8}{'peak MiB':>10}{'queries':>9}"
    _say(f"{'':34}{heads}")
    base = 0.0
    for module, name, label in STEPS:
        found = json.loads(_in_its_own_process(module, name))
        base = base or found["seconds"]
        if label:
            _say(
                f"{label:34}{found['things']:>9,}{found['seconds']:>9.1f}{found['cpu']:>8.1f}"
                f"{found['seconds'] / base:>8.1f}{found['mib']:>10.0f}{found['queries']:>9,}"
            )
    _say(f"\nWhat naive rules get wrong\n{_in_its_own_process('pure', 'naive')}")


def _asked() -> Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--instances", type=int, default=100_000)
    parser.add_argument("--purchases", type=int, default=10_000)
    return parser.parse_args()


def _in_its_own_process(module: str, name: str) -> str:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "amiportal.settings"}
    done = subprocess.run(
        [sys.executable, "-m", f"tests.bench.{module}", name],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


main()
