"""Recorded answers: what `aws ec2 describe-… --output json` prints, into the same mirror."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import DataError, transaction

from registry.aws import (
    ImageRecord,
    InstanceRecord,
    Malformed,
    ReservedInstanceRecord,
    SnapshotRecord,
    VolumeRecord,
)
from registry.models import (
    Account,
    Image,
    Instance,
    Mirror,
    ReservedInstance,
    Scope,
    Snapshot,
    Volume,
)
from registry.models.account import ACCOUNT_NUMBER, REGION
from registry.sync.mirror import Changes, mirror


class DumpInvalid(Exception):
    """A file is not what the AWS command line prints; the message names the place."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A file, the key of its list, and what its items become."""

    file: str
    key: str
    model: type[Mirror]
    parse: Callable[[Mapping[str, Any]], Any]


KINDS = (
    Kind("snapshots.json", "Snapshots", Snapshot, SnapshotRecord.parse),
    Kind("volumes.json", "Volumes", Volume, VolumeRecord.parse),
    Kind("instances.json", "Reservations", Instance, InstanceRecord.parse),
    Kind("images.json", "Images", Image, ImageRecord.parse),
    Kind(
        "reserved-instances.json",
        "ReservedInstances",
        ReservedInstance,
        ReservedInstanceRecord.parse,
    ),
)
_Read = list[tuple[Kind, list[Any]]]


def import_dump(
    folder: Path, *, account: str = "", region: str = "", at: datetime
) -> dict[str, Changes]:
    """Mirror the files in `folder`, or in its ACCOUNT/REGION folders, and return what changed.

    All or nothing: DumpInvalid where a file is malformed. A kind without a file is left alone.
    """
    places = [(account, region, folder)] if account else list(_places(folder))
    read = [(number, name, _read(place)) for number, name, place in places]
    if not any(files for _, _, files in read):
        names = ", ".join(kind.file for kind in KINDS)
        raise DumpInvalid(f"{folder} has none of {names}.")
    changes = {}
    with transaction.atomic():
        for number, name, files in read:
            scope = _scope(number, name)
            for kind, records in files:
                changes[f"{number}/{name}/{kind.file}"] = _mirror(kind, scope, records, at=at)
            Scope.objects.filter(pk=scope.pk).update(synced_at=at)
    return changes


def _places(folder: Path) -> Iterator[tuple[str, str, Path]]:
    for account in sorted(path for path in folder.iterdir() if path.is_dir()):
        for region in sorted(path for path in account.iterdir() if path.is_dir()):
            if not re.match(ACCOUNT_NUMBER, account.name):
                raise DumpInvalid(f"{account}: the folder of an account has its twelve digits.")
            if not re.match(REGION, region.name):
                raise DumpInvalid(f"{region}: the folder of a region has its name, us-east-1.")
            yield account.name, region.name, region


def _read(folder: Path) -> _Read:
    found = []
    for kind in KINDS:
        file = folder / kind.file
        if file.exists():
            found.append((kind, list(_records(kind, file))))
    return found


def _records(kind: Kind, file: Path) -> Iterator[Any]:
    for place, item in _items(kind, file, _list(kind, file)):
        try:
            yield kind.parse(item)
        except Malformed as error:
            raise DumpInvalid(f"{file}: {place}: {error}.") from None


def _list(kind: Kind, file: Path) -> Sequence[Any]:
    try:
        whole = json.loads(file.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        message = f"{file}: line {error.lineno} column {error.colno}: {error.msg}."
        raise DumpInvalid(message) from None
    except (UnicodeDecodeError, RecursionError):
        raise DumpInvalid(f"{file}: this is not JSON in UTF-8.") from None
    found = whole.get(kind.key) if isinstance(whole, dict) else whole
    if not isinstance(found, list):
        raise DumpInvalid(f"{file}: there is no list {kind.key} in it.")
    return found


def _items(kind: Kind, file: Path, found: Sequence[Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, item in enumerate(found):
        place = f"{kind.key}[{number}]"
        if not isinstance(item, dict):
            raise DumpInvalid(f"{file}: {place} is not an object.")
        if kind.model is not Instance or "InstanceId" in item:
            yield place, item
            continue
        instances = item.get("Instances")
        if not isinstance(instances, list) or not all(isinstance(i, dict) for i in instances):
            raise DumpInvalid(f"{file}: {place}.Instances is not a list of objects.")
        for inner, instance in enumerate(instances):
            yield f"{place}.Instances[{inner}]", instance


def _scope(number: str, region: str) -> Scope:
    account, _ = Account.objects.get_or_create(
        number=number, defaults={"name": f"account {number}", "is_synced": False}
    )
    scope, _ = Scope.objects.get_or_create(account=account, region=region)
    return scope


def _mirror(kind: Kind, scope: Scope, records: list[Any], *, at: datetime) -> Changes:
    try:
        return mirror(kind.model, scope, records, at=at)
    except DataError as error:
        message = f"{kind.file} of {scope}: a value is too long or too large. {error}"
        raise DumpInvalid(message) from None
