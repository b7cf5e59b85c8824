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
    ModificationRecord,
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
from registry.sync.modifications import take_modifications
from registry.sync.origins import name_images


class DumpInvalid(Exception):
    """A file is not what the AWS command line prints; the message names the place."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A file, the key of its list, and what its items become."""

    file: str
    key: str
    model: type[Mirror]
    parse: Callable[[Mapping[str, Any]], Any]


MODIFICATIONS = Kind(  # after the purchases that they made
    "reserved-instances-modifications.json",
    "ReservedInstancesModifications",
    ReservedInstance,
    ModificationRecord.parse,
)
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
    MODIFICATIONS,
)
FILES = tuple(kind.file for kind in KINDS)


@dataclass(frozen=True, slots=True)
class Imported:
    """What each file changed, and what lies beside the files and was not read."""

    changes: Mapping[str, Changes]
    ignored: tuple[Path, ...]


def import_dump(folder: Path, *, account: str = "", region: str = "", at: datetime) -> Imported:
    """Mirror the files in `folder`, or in its ACCOUNT/REGION folders, and return what changed.

    All or nothing: DumpInvalid where a file is malformed. A kind without a file is left alone.
    """
    try:
        places = [(account, region, folder)] if account else list(_places(folder))
        ignored = tuple(_ignored(folder, [place for _, _, place in places]))
        with transaction.atomic():
            changes = {
                f"{number}/{name}/{file}": change
                for number, name, place in places
                for file, change in _import(number, name, place, at=at)
            }
    except OSError as error:
        raise DumpInvalid(f"{error.filename} can't be read: {error.strerror}.") from None
    if not changes:
        raise DumpInvalid(f"{folder} has none of {', '.join(FILES)}.{_advice(folder)}")
    return Imported(changes, ignored)


def _places(folder: Path) -> Iterator[tuple[str, str, Path]]:
    for account in _folders(folder, ACCOUNT_NUMBER, "of an account has its twelve digits"):
        for region in _folders(account, REGION, "of a region has its name, us-east-1"):
            yield account.name, region.name, region


def _folders(folder: Path, pattern: str, rule: str) -> Iterator[Path]:
    """The folders in `folder` that are named by the rule; no other may hold answers of AWS."""
    for path in sorted(path for path in folder.iterdir() if path.is_dir()):
        if re.fullmatch(pattern, path.name, re.ASCII):
            yield path
        elif any(file.name in FILES for file in path.rglob("*.json")):
            raise DumpInvalid(f"{path}: the folder {rule}.")


def _ignored(folder: Path, places: Sequence[Path]) -> Iterator[Path]:
    ways = {folder, *(place.parent for place in places if place != folder)}
    for way in sorted(ways | set(places)):
        for path in sorted(way.iterdir()):
            is_read = path.name in FILES if way in places else path in ways or path in places
            if not is_read and not path.name.startswith("."):
                yield path


def _advice(folder: Path) -> str:
    if any((folder / file).exists() for file in FILES):
        return " Say whose they are with --account and --region."
    return ""


def _import(number: str, name: str, folder: Path, *, at: datetime) -> Iterator[tuple[str, Changes]]:
    """Mirror the files of one scope, one after the other: no two are in memory at once."""
    here = {path.name for path in folder.iterdir()}
    kinds = [kind for kind in KINDS if kind.file in here]
    if not kinds:
        return
    scope = _scope(number, name)
    for kind in kinds:
        records = list(_records(kind, folder / kind.file))
        yield kind.file, _mirror(kind, scope, records, at=at)
    Scope.objects.filter(pk=scope.pk).update(synced_at=at)


def _records(kind: Kind, file: Path) -> Iterator[Any]:
    for place, item in _items(kind, file, _list(kind, file)):
        try:
            yield kind.parse(item)
        except (Malformed, RecursionError) as error:
            raise DumpInvalid(f"{file}: {place}: {error}.") from None


def _list(kind: Kind, file: Path) -> Sequence[Any]:
    whole = _json(file)
    if isinstance(whole, dict) and whole.get("NextToken"):
        raise DumpInvalid(
            f"{file}: this is a part of an answer: it ends with a NextToken. Record it again "
            "without --max-items and --no-paginate."
        )
    found = whole.get(kind.key) if isinstance(whole, dict) else whole
    if not isinstance(found, list):
        raise DumpInvalid(f"{file}: there is no list {kind.key} in it.")
    return found


def _json(file: Path) -> Any:
    content = file.read_bytes()
    if not content or content.isspace():
        raise DumpInvalid(f"{file}: it is empty. Perhaps the command that wrote it failed.")
    try:
        return json.loads(content)  # in UTF-8, or in UTF-16 as Windows writes it
    except json.JSONDecodeError as error:
        message = f"{file}: line {error.lineno} column {error.colno}: {error.msg}."
        raise DumpInvalid(message) from None
    except UnicodeDecodeError as error:
        raise DumpInvalid(f"{file}: byte {error.start}: this is not text in UTF-8.") from None
    except (ValueError, RecursionError) as error:
        raise DumpInvalid(f"{file}: this is no answer of AWS: {error}.") from None


def _items(kind: Kind, file: Path, found: Sequence[Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, item in enumerate(found):
        place = f"{kind.key}[{number}]"
        if kind.model is not Instance:
            yield place, _object(file, place, item)
        elif isinstance(item, dict) and "InstanceId" in item:  # --query Reservations[].Instances[]
            yield place, item
        else:
            yield from _instances(file, place, item)


def _instances(file: Path, place: str, item: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(item, list):  # a list: --query Reservations[].Instances
        item, place = _object(file, place, item).get("Instances"), f"{place}.Instances"
    if not isinstance(item, list):
        raise DumpInvalid(f"{file}: {place} is not a list of objects.")
    for number, instance in enumerate(item):
        inner = f"{place}[{number}]"
        yield inner, _object(file, inner, instance)


def _object(file: Path, place: str, item: Any) -> Mapping[str, Any]:
    if not isinstance(item, dict):
        raise DumpInvalid(f"{file}: {place} is not an object.")
    return item


def _scope(number: str, region: str) -> Scope:
    account, _ = Account.objects.get_or_create(
        number=number, defaults={"name": f"account {number}", "is_synced": False}
    )
    scope, _ = Scope.objects.get_or_create(account=account, region=region)
    return scope


def _mirror(kind: Kind, scope: Scope, records: list[Any], *, at: datetime) -> Changes:
    if kind is MODIFICATIONS:
        return Changes(len(records), new=0, changed=take_modifications(scope, records), gone=0)
    if kind.model is Instance:
        records = name_images(records, {}, scope)  # a dump does not tell of their images
    try:
        return mirror(kind.model, scope, records, at=at)
    except DataError as error:
        message = f"{kind.file} of {scope}: a value is too long or too large. {error}"
        raise DumpInvalid(message) from None
