"""From a file to what DuckDB is told about it: how it is opened, and where our columns are."""

import csv
import glob
import gzip
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import duckdb

from registry.sync.bills.columns import NEEDED, OPTIONAL, positions
from registry.sync.bills.place import BillProblem

_LONGEST_HEADER = 1024 * 1024
_MOST_COLUMNS = 5_000
_SPARE = 2  # an archive may take one in so many of the bytes that are free
_NUMBERS = frozenset(
    {"amount", "factor", "normalized", "cost", "reserved_cost", "plan_cost"}
    | {"unused", "unused_normalized", "unused_recurring", "unused_upfront"}
)
_TIMES = frozenset({"started", "ended", "period"})
# Words in the names of folders are not values of the lines.
_PARQUET = "read_parquet(?, hive_partitioning = false)"
_CSV = (
    "read_csv(?, auto_detect = false, hive_partitioning = false, header = true, "
    "delim = ',', quote = '\"', escape = '\"', "
    "nullstr = '', strict_mode = true, compression = '{compression}', columns = {{{columns}}})"
)


@dataclass(frozen=True, slots=True)
class Source:
    """A file as a table of DuckDB. `call` takes the path; no word of the file is in it."""

    path: str
    call: str
    columns: str


def sources(
    base: duckdb.DuckDBPyConnection, path: Path, name: str, workshop: Path
) -> Iterator[Source]:
    """Return the tables of a file: of an archive each of its CSV files."""
    kind = name.lower()
    if kind.endswith(".parquet"):
        yield _parquet(base, path)
    elif kind.endswith(".zip"):
        for member in _unpacked(path, workshop):
            with member.open("rb") as file:
                yield _csv(member, _header(file), "none")
            member.unlink()
    elif kind.endswith(".gz"):
        with gzip.open(path, "rb") as file:
            yield _csv(path, _header(file), "gzip")
    else:
        with path.open("rb") as file:
            yield _csv(path, _header(file), "none")


def _parquet(base: duckdb.DuckDBPyConnection, path: Path) -> Source:
    name = _alone(path)
    told = base.execute("DESCRIBE FROM CALL".replace("CALL", _PARQUET), [name]).fetchall()
    names = [_quoted(str(row[0])) for row in told]
    there = positions([str(row[0]) for row in told])
    types = [str(row[1]) for row in told]
    return Source(name, _PARQUET, _columns(there, names, types))


def _csv(path: Path, header: Sequence[str], compression: str) -> Source:
    names = [f"c{number}" for number in range(len(header))]
    columns = ", ".join(f"{name}: 'VARCHAR'" for name in names)
    call = _CSV.format(compression=compression, columns=columns)
    return Source(_alone(path), call, _columns(positions(header), names, ["VARCHAR"] * len(names)))


def _alone(path: Path) -> str:
    """Return a path as DuckDB takes it: signs in it are no pattern, which others may fit, too."""
    return glob.escape(str(path))


def _header(file: BinaryIO | gzip.GzipFile) -> list[str]:
    """Return the names in the first line. DuckDB would take another line, where they differ."""
    line = file.readline(_LONGEST_HEADER)
    try:
        header = next(csv.reader([line.decode("utf-8-sig")]), [])
    except (UnicodeDecodeError, csv.Error):
        header = []
    if not header or len(header) > _MOST_COLUMNS or not line.endswith(b"\n"):
        raise BillProblem("its first line names no columns.")
    return header


def _unpacked(path: Path, workshop: Path) -> Iterator[Path]:
    with zipfile.ZipFile(path) as archive:
        members = [item for item in archive.infolist() if item.filename.lower().endswith(".csv")]
        if not members:
            raise BillProblem("the archive holds no CSV file.")
        for number, member in enumerate(members):
            if member.file_size * _SPARE > shutil.disk_usage(workshop).free:
                raise BillProblem(f"there is no room for the {member.file_size:,} bytes in it.")
            target = workshop / f"{path.name}-{number}.csv"
            with archive.open(member) as packed, target.open("wb") as plain:
                shutil.copyfileobj(packed, plain, _LONGEST_HEADER)
            yield target


def _columns(there: dict[str, int], names: Sequence[str], types: Sequence[str]) -> str:
    """Return the list of our columns; the absent are null."""
    return ", ".join(
        f"{_cast(ours, names[there[ours]], types[there[ours]])} AS {ours}"
        if ours in there
        else f"{_absent(ours)} AS {ours}"
        for ours in NEEDED | OPTIONAL
    )


def _cast(ours: str, name: str, kind: str) -> str:
    given = f"nullif({name}, '')" if kind == "VARCHAR" else name
    if ours in _NUMBERS:
        if kind == "VARCHAR":  # some tools write "not applicable" in an empty place
            given = f"nullif({given}, 'NA')"
        return f"CAST({given} AS DECIMAL(38,12))"
    if ours in _TIMES:  # by way of a text, of which a plain TIMESTAMP would ignore the zone
        return f"make_timestamp(epoch_us(CAST(CAST({given} AS VARCHAR) AS TIMESTAMPTZ)))"
    return f"CAST({name} AS VARCHAR)"


def _absent(ours: str) -> str:
    if ours in _NUMBERS:
        return "CAST(NULL AS DECIMAL(38,12))"
    return f"CAST(NULL AS {'TIMESTAMP' if ours in _TIMES else 'VARCHAR'})"


def _quoted(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'
