"""The Cost and Usage Report of the seeded company, in a bucket of its management account.

This month as CSV of the older kind, last month as Parquet, each with a manifest; beside this
month's files lies an older assembly, which does not count. A line is for what a machine ran in the
month under one purchase, not for an hour. What runs now has run since its launch.
"""

import csv
import gzip
import io
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from sandbox.aws.catalog import MANAGEMENT
from sandbox.aws.charges import COLUMNS, DOUBLES, TIMES, charges
from sandbox.aws.files import Bucket, File
from sandbox.aws.ran import Month
from sandbox.aws.state import State

BUCKET, NAME = "northwind-bills", "northwind"
_FOLDER = f"cur/{NAME}"
_OLDER, _NEWER = "20260101T000000Z", "20260102T000000Z"  # ids of assemblies


def publish(state: State) -> None:
    """Offer the report of this month and the last; it is written when somebody asks for it."""
    state.buckets[BUCKET] = Bucket(MANAGEMENT, fill=lambda: report(state))


def report(state: State) -> dict[str, File]:
    """Return the files of the report as it stands, by key."""
    now = state.now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    this = now.replace(day=1, hour=0)
    last = (this - timedelta(days=1)).replace(day=1)
    return _delivered(state, last, this, now) | _delivered(
        state, this, (this + timedelta(days=32)).replace(day=1), now
    )


def _delivered(state: State, begin: datetime, end: datetime, now: datetime) -> dict[str, File]:
    lines = list(charges(state, Month(begin, end, min(end, now))))
    folder = f"{_FOLDER}/{begin:%Y%m%d}-{end:%Y%m%d}"
    written: Mapping[str, bytes]
    if end <= now:
        key = f"{_FOLDER}/{NAME}/year={begin.year}/month={begin.month}/{NAME}-00001.snappy.parquet"
        written, keys = {key: _parquet(lines)}, [key]
    else:
        half = len(lines) // 2
        keys = [f"{folder}/{_NEWER}/{NAME}-0000{number}.csv.gz" for number in (1, 2)]
        written = {
            f"{folder}/{_OLDER}/{NAME}-00001.csv.gz": gzip.compress(_csv(lines)),
            keys[0]: gzip.compress(_csv(lines[:half])),
            keys[1]: gzip.compress(_csv(lines[half:])),
        }
    manifest = {
        "assemblyId": _NEWER,
        "account": MANAGEMENT,
        "bucket": BUCKET,
        "reportName": NAME,
        "billingPeriod": {
            "start": f"{begin:%Y%m%dT%H%M%S}.000Z",
            "end": f"{end:%Y%m%dT%H%M%S}.000Z",
        },
        "reportKeys": keys,
    }
    whole = {**written, f"{folder}/{NAME}-Manifest.json": json.dumps(manifest).encode()}
    return {key: File(content, now) for key, content in whole.items()}


def _csv(lines: Iterable[Mapping[str, str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue().encode()


def _parquet(lines: Iterable[Mapping[str, str]]) -> bytes:
    """Return lines with the names and types that the columns have in Parquet."""
    chosen = ", ".join(
        f'CAST("{name}" AS {_type(name)}) AS {snake}' for name, snake in COLUMNS.items()
    )
    with TemporaryDirectory(prefix="amiportal-sandbox-") as folder:
        plain, packed = Path(folder) / "lines.csv", Path(folder) / "lines.parquet"
        plain.write_bytes(_csv(lines))
        table = duckdb.read_csv(str(plain), all_varchar=True, header=True)
        table.project(chosen).write_parquet(str(packed))
        return packed.read_bytes()


def _type(name: str) -> str:
    if name in DOUBLES:
        return "DOUBLE"
    return "TIMESTAMP" if name in TIMES else "VARCHAR"
