"""Which files make up the report of a month.

Three layouts are known, each with a manifest that names the files that count; what lies beside
them, older assemblies above all, is left alone:

    …/20261101-20261201/NAME-Manifest.json    files in a folder for each assembly, or elsewhere
    …/year=2026/month=11/NAME-Manifest.json   files beside it (overwritten, or Parquet for Athena)
    …/metadata/BILLING_PERIOD=2026-11/NAME-Manifest.json   in …/data/BILLING_PERIOD=2026-11/

Sources: AWS, "Understanding your report versions" and "Understanding export delivery". Not
confirmed: whether a Data Export that keeps its versions leaves a manifest in the folder of the
billing period itself; where it does not, the manifest of the newest execution counts. Nor whether
its `dataFiles` are always texts: they are taken as objects with `s3Uri` or `key`, too.
"""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

from registry.sync.bills.place import BillProblem, Place, ReportFile
from registry.sync.bills.workshop import workshop

_KINDS = (".csv", ".csv.gz", ".zip", ".parquet")
_ENDINGS = re.compile(r"(?:\.(?:csv|gz|zip|snappy|parquet))+$")
_MANIFEST = "-manifest.json"
_STATUS = "cost_and_usage_data_status"  # written for Athena; no part of the report
_LARGEST_MANIFEST = 8 * 1024 * 1024
# How the folder of a month is called. The last one on the way to a file counts.
_PERIOD = re.compile(
    r"(?:^|/)(?:(\d{4})(\d\d)\d\d-\d{8}|BILLING_PERIOD=(\d{4})-(\d\d)|year=(\d{4})/month=(\d\d?))/",
    re.ASCII,
)
_START = re.compile(r"(\d{4})-?(\d\d)-?\d\d", re.ASCII)
_READER = "1"  # another number here lets everything be read again


@dataclass(frozen=True, slots=True)
class Delivery:
    """The files of a month, each once; without a month, only their lines say which one it is."""

    month: date | None
    files: tuple[ReportFile, ...]

    @property
    def version(self) -> str:
        """A digest that changes with any of the files."""
        told = [_READER, *(f"{file.path}\0{file.size}\0{file.mark}" for file in self.files)]
        return hashlib.sha256("\n".join(told).encode(errors="surrogateescape")).hexdigest()


@dataclass(slots=True)
class Lying:
    """What lies at a place for one month."""

    manifests: list[ReportFile] = field(default_factory=list)
    data: list[ReportFile] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Found:
    """All files of a place, and by month those that matter; under None only lines can tell."""

    files: list[ReportFile]
    months: dict[date | None, Lying]


def find(place: Place) -> Found:
    """Return what lies at a place; BillProblem where a manifest can't be understood."""
    files = place.list_files()
    found: dict[date | None, Lying] = defaultdict(Lying)
    for file in files:
        name = file.path.lower()
        if name.endswith(_MANIFEST):
            found[_month(place, file) or _month_told(place, file)].manifests.append(file)
        elif name.endswith(_KINDS) and _STATUS not in name:
            found[_month(place, file)].data.append(file)
    if any(lying.manifests for lying in found.values()):
        found.pop(None, None)  # what manifests speak of, or what nobody speaks of
    if not found:
        raise BillProblem(f"No report lies at {place.source}.")
    return Found(files, found)


def deliver(place: Place, month: date | None, found: Found) -> Delivery:
    """Return the files that count for a month; BillProblem where that is not clear."""
    lying = found.months[month]
    if not lying.manifests:
        return Delivery(month, _of_one_folder(place, lying.data))
    named = {_named(place, file, found.files) for file in _current(place, lying.manifests)}
    if len(named) > 1:
        folders = ", ".join(sorted(file.folder or "." for file in lying.manifests)[:4])
        raise BillProblem(
            f"Several reports of {month:%Y-%m} lie below {place.source}: {folders}. "
            "Name the folder of one."
        )
    return Delivery(month, named.pop())


def _month(place: Place, file: ReportFile) -> date | None:
    match = _last_period(place, file)
    if match is None:
        return None
    year, month = (part for part in match.groups() if part)
    return _first_day(year, month)


def _last_period(place: Place, file: ReportFile) -> re.Match[str] | None:
    found = list(_PERIOD.finditer(f"{place.path}/{file.path}"))
    return found[-1] if found else None


def _first_day(year: str, month: str) -> date | None:
    try:
        return date(int(year), int(month), 1)
    except ValueError:
        return None


def _month_told(place: Place, file: ReportFile) -> date | None:
    """Return the month that a manifest itself tells, where no folder does."""
    period = _manifest(place, file).get("billingPeriod")
    start = period.get("start") if isinstance(period, dict) else period
    match = _START.match(str(start))
    month = _first_day(match[1], match[2]) if match else None
    if month is None:
        raise BillProblem(f"{file.path} names no billing period.")
    return month


def _current(place: Place, manifests: Iterable[ReportFile]) -> list[ReportFile]:
    """Leave of each folder of a month the manifest that is its own, else the newest below it."""
    folders: dict[str, list[tuple[bool, datetime, ReportFile]]] = defaultdict(list)
    for file in manifests:
        match = _last_period(place, file)
        whole = f"{place.path}/{file.path}"
        folder, rest = (whole[: match.end()], whole[match.end() :]) if match else (file.path, "")
        folders[folder].append(("/" not in rest, file.changed_at, file))
    return [file for some in folders.values() for file in _newest(some)]


def _newest(some: list[tuple[bool, datetime, ReportFile]]) -> list[ReportFile]:
    direct = [file for is_direct, _, file in some if is_direct]
    return direct or [max(some, key=lambda item: (item[1], item[2].path))[2]]


def _named(
    place: Place, manifest: ReportFile, everything: Iterable[ReportFile]
) -> tuple[ReportFile, ...]:
    """Return the files that a manifest names, each once."""
    told = _manifest(place, manifest)
    keys = told.get("reportKeys") or told.get("dataFiles")
    if not isinstance(keys, list) or not keys:
        raise BillProblem(f"{manifest.path} names no files.")
    by_name: dict[str, list[ReportFile]] = defaultdict(list)
    for file in everything:
        by_name[file.path.rpartition("/")[2]].append(file)
    found: dict[ReportFile, str] = {}
    for key in map(_key, keys):
        file = _listed(place, key, by_name, manifest)
        if found.setdefault(file, key) != key:
            raise BillProblem(
                f"{manifest.path} names several files called {file.path.rpartition('/')[2]}, "
                f"and only {file.path} is at {place.source}."
            )
    return tuple(sorted(found, key=lambda file: file.path))


def _key(told: Any) -> str:
    if isinstance(told, dict):
        told = told.get("s3Uri") or told.get("key")
    key = str(told)
    return key.removeprefix("s3://").partition("/")[2] if key.startswith("s3://") else key


def _listed(
    place: Place, key: str, by_name: dict[str, list[ReportFile]], manifest: ReportFile
) -> ReportFile:
    """Find the file of a key. A copied report may begin at any folder of the bucket."""
    wanted = f"/{key.lstrip('/')}"
    same = [
        file
        for file in by_name.get(key.rpartition("/")[2], [])
        if wanted.endswith(f"/{file.path}") or f"/{file.path}".endswith(wanted)
    ]
    if not same:
        raise BillProblem(f"{manifest.path} names {key[:200]}, which is not at {place.source}.")
    # Below the place may lie a copy of it: what lies nearest to the manifest is meant.
    return max(
        same,
        key=lambda file: (
            _shared(_turned(wanted), _turned(f"{place.path}/{file.path}")),
            _shared(manifest.folder.split("/"), file.folder.split("/")),
            -len(file.path),
        ),
    )


def _turned(path: str) -> list[str]:
    """Return the steps of a path, the last one first."""
    return path.strip("/").split("/")[::-1]


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many steps two paths have in common at their beginning."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _manifest(place: Place, file: ReportFile) -> dict[str, Any]:
    if file.size > _LARGEST_MANIFEST:
        raise BillProblem(f"{file.path} is too large for a manifest.")
    with workshop() as folder:
        content = place.fetch(file, Path(folder)).read_bytes()
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise BillProblem(f"{file.path} is no manifest: it holds no JSON object.")
    return told


def _of_one_folder(place: Place, files: list[ReportFile]) -> tuple[ReportFile, ...]:
    folders = sorted({file.folder for file in files})
    if len(folders) > 1:
        raise BillProblem(
            f"No manifest says which files of {place.source} count, and they lie in several "
            f"folders: {', '.join(folder or '.' for folder in folders[:4])}. Name one folder."
        )
    stems: dict[str, str] = {}
    for file in files:
        other = stems.setdefault(_ENDINGS.sub("", file.path.lower()), file.path)
        if other != file.path:
            raise BillProblem(
                f"No manifest says which files of {place.source} count, and {other} and "
                f"{file.path} are the same but for their kind. Leave one of them."
            )
    return tuple(sorted(files, key=lambda file: file.path))
