"""Where a report lies: a folder, or a prefix of a bucket."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from registry import aws


class BillProblem(Exception):
    """A report can't be read; the message says why, in a sentence that can be stored."""

    def __init__(self, sentence: str) -> None:
        super().__init__(aws.clean(sentence))


class Interrupted(Exception):
    """The reading was stopped: by its time limit, or by somebody."""


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A file of a report, by its path below the place where the report lies."""

    path: str
    size: int
    changed_at: datetime
    tag: str = ""  # of a bucket: it changes with the content

    @property
    def mark(self) -> str:
        """A text that changes with the content."""
        return f"{self.tag} {self.changed_at.isoformat()}"

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]


class Place(Protocol):
    """Where a report lies: `path` is the whole path, `source` how people write it.

    DuckDB may open what is below `reach`, where that is not empty.
    """

    path: str
    source: str
    reach: str

    def list_files(self) -> list[ReportFile]:
        """Return all that lies there, at any depth."""

    def fetch(self, file: ReportFile, workshop: Path) -> Path:
        """Return a path under which the file can be opened; a copy goes into `workshop`."""


class Folder:
    """A folder of this machine. Nothing outside of it, or of `limit`, is read: no link leads out.

    `called` is its name for people, where that is not its path.
    """

    def __init__(self, folder: Path, *, limit: Path | None = None, called: str = "") -> None:
        self.source = str(aws.clean(called or str(folder)))
        self._root = _resolved(folder)
        self._limit = _resolved(limit) if limit else self._root
        self.path, self.reach = self._root.as_posix(), self._limit.as_posix()
        self._check(self._root)
        try:
            is_folder = self._root.is_dir()
        except OSError as error:
            raise BillProblem(f"{self.source} can't be read: {error.strerror}.") from None
        if not is_folder:
            raise BillProblem(f"{self.source} is not a folder.")

    def list_files(self) -> list[ReportFile]:
        try:
            found = [self._file(path) for path in sorted(self._walk())]
        except OSError as error:
            raise BillProblem(f"{error.filename} can't be read: {error.strerror}.") from None
        return [file for file in found if file is not None]

    def fetch(self, file: ReportFile, workshop: Path) -> Path:
        path = _resolved(self._root / file.path)
        self._check(path)
        if not os.access(path, os.R_OK):
            raise BillProblem(f"{file.path} can't be read by the portal.")
        return path

    def _walk(self) -> Iterator[Path]:
        def refuse(error: OSError) -> None:
            raise error

        for folder, _, names in os.walk(self._root, onerror=refuse):
            yield from (Path(folder) / name for name in names)

    def _file(self, path: Path) -> ReportFile | None:
        """Return a file; None for what is none, such as a pipe, whose reader would wait."""
        self._check(_resolved(path))
        known = path.stat()
        if not stat.S_ISREG(known.st_mode):
            return None
        changed_at = datetime.fromtimestamp(known.st_mtime, tz=UTC)
        name = path.relative_to(self._root).as_posix()
        return ReportFile(name, known.st_size, changed_at)

    def _check(self, path: Path) -> None:
        if not path.is_relative_to(self._limit):
            raise BillProblem(f"A link at {self.source} leads out of where bills may lie.")


def _resolved(path: Path) -> Path:
    """Follow all links; one that leads to itself stays, for whoever opens it to say."""
    return Path(os.path.realpath(path))


class Stored:
    """A prefix of a bucket, taken as a folder."""

    def __init__(self, bucket: aws.Bucket, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self.path = self._prefix.rstrip("/")
        self.source = f"s3://{bucket.name}/{self.path}"
        self.reach = ""
        self._records: dict[str, aws.ObjectRecord] = {}

    def list_files(self) -> list[ReportFile]:
        found = []
        for record in self._bucket.list_files(self._prefix):
            path = record.key.removeprefix(self._prefix)
            self._records[path] = record
            found.append(ReportFile(path, record.size, record.changed_at, record.tag))
        return found

    def fetch(self, file: ReportFile, workshop: Path) -> Path:
        target = workshop / f"{len(list(workshop.iterdir()))}-copy"
        try:
            self._bucket.download(self._records[file.path], target)
        except aws.AwsError as error:
            raise BillProblem(f"{file.path} can't be fetched. {error}") from error
        except OSError as error:
            raise BillProblem(f"{file.path} can't be fetched: {error.strerror}.") from error
        return target
