"""Files in a bucket of S3."""

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from registry.aws.errors import Unreachable, translated
from registry.aws.members import Malformed, words

_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ObjectRecord:
    """A file as the bucket lists it; `tag` changes with its content."""

    key: str
    size: int
    changed_at: datetime
    tag: str


class Bucket:
    """A bucket as seen through an account's access."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self.name = name

    def list_files(self, prefix: str) -> list[ObjectRecord]:
        """Return every file whose key begins with `prefix`; never a part of the answer."""
        with translated("ListObjectsV2"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.name, Prefix=prefix
            )
            return [_record(item) for page in pages for item in _contents(page)]

    def download(self, file: ObjectRecord, target: Path) -> None:
        """Write a file to `target` as it was listed; an error where it has changed since."""
        written = 0
        with translated("GetObject"), target.open("wb") as draft:
            answer = self._client.get_object(Bucket=self.name, Key=file.key, IfMatch=file.tag)
            with closing(answer["Body"]) as body:
                for chunk in body.iter_chunks(_CHUNK):
                    written += draft.write(chunk)
        if written != file.size:
            raise Unreachable(f"GetObject: {written} of {file.size} bytes came of {file.key}.")


def _contents(page: Any) -> list[Any]:
    # An empty page counts its files, too; what does not was no answer of S3.
    if page.get("KeyCount") != len(page.get("Contents", [])):
        raise Unreachable("ListObjectsV2: the answer does not hold as many files as it says.")
    return list(page.get("Contents", []))


def _record(item: Any) -> ObjectRecord:
    key, size, changed_at = item.get("Key"), item.get("Size"), item.get("LastModified")
    if not isinstance(key, str):
        raise Malformed("A file of the bucket has no key")
    if not isinstance(size, int) or not isinstance(changed_at, datetime):
        raise Malformed("A file of the bucket has no size or no date")
    return ObjectRecord(key, size, changed_at, words(item, "ETag"))
