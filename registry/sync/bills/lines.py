"""Reads the files of a report with DuckDB and sums their lines up.

Only lines about EC2 instances are kept: hours of instances, and the monthly fees of Reserved
Instances. Credits, refunds, taxes and discounts change no hours and are left out.

Amounts are decimal from the first cast on: a double of Parquet becomes one line by line, before
anything is added.
"""

import glob
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, Self

import duckdb

from registry.sync.bills import statements
from registry.sync.bills.opening import sources
from registry.sync.bills.place import BillProblem, Interrupted
from registry.sync.bills.workshop import workshop

MEMORY = "512MB"
_THREADS = 2
_BATCH = 5_000
# Nothing is loaded, fetched or reachable but the files that are named.
_CONFINED: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "memory_limit": MEMORY,
    "threads": str(_THREADS),
    "preserve_insertion_order": "false",
}
# Cut, packed otherwise than their name says, or locked.
_UNREADABLE = (duckdb.Error, OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)

# All that DuckDB leaves of what a signal raises, such as the time limit of a job.
_STOPPED = "Query interrupted"


class Lines:
    """The sums of what was added, in a workshop of its own, which goes with it."""

    def __init__(self, reach: str) -> None:
        """Make an empty table. Besides the workshop, files below `reach` can be opened."""
        self._temporary = workshop()
        self.workshop = Path(self._temporary.name).resolve()
        spill = self.workshop / "spill"
        spill.mkdir()
        self._base = duckdb.connect(config=_CONFINED | {"temp_directory": str(spill)})
        folders = [f"{folder}/" for folder in (self.workshop, reach) if str(folder)]
        # It is asked of a path as `opening` gives it, and of what is found there.
        reachable = [*folders, *map(glob.escape, folders)]
        self._base.execute("SET allowed_directories = ?", [reachable])
        self._base.execute("SET TimeZone = 'UTC'")
        self._base.execute("SET enable_external_access = false")
        self._base.execute("SET lock_configuration = true")
        self._base.execute(statements.CREATE)
        self._base.execute(statements.WHOLE_SUM)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._base.close()
        self._temporary.cleanup()

    def add(self, path: Path, name: str) -> None:
        """Add the lines of a file; `name` is what it is called where it comes from."""
        try:
            for source in sources(self._base, path, name, self.workshop):
                statement = statements.ADD.replace("CALL", source.call)
                statement = statement.replace("COLUMNS", source.columns)
                self._base.execute(statement, [source.path])
        except BillProblem as problem:
            raise BillProblem(f"{name}: {problem}") from None
        except _UNREADABLE as error:
            raise _problem(f"{name} can't be read", error) from error
        if self._number(statements.STRANGE_TIMES):
            raise BillProblem(f"{name}: a line is of a time at which there were no reports.")

    def months(self) -> list[date]:
        """Return the months of what was added, as far as its lines name one."""
        return [row[0] for row in self._base.execute(statements.MONTHS).fetchall()]

    def payers(self) -> list[str]:
        return [row[0] for row in self._base.execute(statements.PAYERS).fetchall()]

    def without_amount(self) -> int:
        """Return how many lines do not say how much they are about."""
        return self._number(statements.WITHOUT_AMOUNT)

    def all(self) -> tuple[int, datetime | None, bool]:
        """Return how many lines there are, until when usage is billed, if instances are named."""
        lines, through, names_instances = self._base.execute(statements.WHOLE).fetchall()[0]
        return int(lines), through, bool(names_instances)

    def usage(self) -> Iterator[tuple[Any, ...]]:
        yield from self._rows(statements.USAGE)

    def purchases(self) -> Iterator[tuple[Any, ...]]:
        yield from self._rows(statements.PURCHASES)

    def _number(self, statement: str) -> int:
        return int(self._base.execute(statement).fetchall()[0][0])

    def _rows(self, statement: str) -> Iterator[tuple[Any, ...]]:
        try:
            self._base.execute(statement)
            while rows := self._base.fetchmany(_BATCH):
                yield from rows
        except (duckdb.Error, RuntimeError) as error:
            raise _problem("Its lines can't be summed up", error) from error


def _problem(what: str, error: BaseException) -> BillProblem | Interrupted:
    if str(error) == _STOPPED:
        return Interrupted(f"{what}: that took too long, or somebody stopped it.")
    return BillProblem(f"{what}: {_words(error)}")


def _words(error: BaseException) -> str:
    """Return the beginning of a message on one line, without what is meant for programmers."""
    text = " ".join(str(error).partition("\n\n")[0].partition("Possible ")[0].split())
    return text[:300] or type(error).__name__
