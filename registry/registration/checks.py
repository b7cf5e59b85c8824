"""What can be known to be wrong with a registration before AWS is asked, by field."""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

from registry.billing.codes import canonical
from registry.models import Image, Instance, Method, Registration, Scope, Snapshot
from registry.registration.hardware import hardware_problems
from registry.registration.storable import malformed, too_large
from registry.registration.volumes import DEVICE, Volume, device_problems, problems

# The letters that all of AWS's own texts agree on, and those that the API takes besides.
NAME = re.compile(r"[A-Za-z0-9()\[\] ./\-'@_]{3,128}")
_MANIFEST = re.compile(r"[a-z0-9][a-z0-9.\-]{2,62}/.*[^/]\.manifest\.xml")
_LONGEST_DESCRIPTION, _MOST_TAGS = 255, 49  # of fifty tags, one is ours
_LONGEST_KEY, _LONGEST_VALUE = 127, 256


class Refused(Exception):
    """A request that AWS would refuse; `problems` says what to do, by field."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


def check(registration: Registration) -> None:
    """Raise Refused if AWS would refuse, as far as the mirror can tell."""
    # What is of another kind can't even be looked at.
    found = dict(malformed(registration))
    if not found:
        for field, problem in chain(_problems(registration), too_large(registration)):
            found.setdefault(field, problem)
    if found:
        raise Refused(found)


def _problems(registration: Registration) -> Iterator[tuple[str, str]]:
    account = registration.account
    if not account.is_synced:
        yield "account", "This account is only known from a recording. Connect it first."
    elif not Scope.objects.enabled().filter(account=account, region=registration.region).exists():
        yield "region", "This account is not read in this region. Choose another."
    if registration.method not in Method.values:
        yield "method", "Choose snapshot, instance, copy or manifest."
        return
    yield from _name_problems(registration)
    if len(registration.description) > _LONGEST_DESCRIPTION:
        yield "description", "Use at most 255 characters."
    if canonical(registration.expected_usage_operation) is None:
        yield "expected_usage_operation", "Choose what AWS must bill it as."
    for field in ("tags", "snapshot_tags"):
        yield from ((field, text) for text in _tag_problems(getattr(registration, field)))
    yield from _BY_METHOD[registration.method](registration)


def _name_problems(registration: Registration) -> Iterator[tuple[str, str]]:
    if not NAME.fullmatch(registration.name):
        yield "name", "Use 3 to 128 letters, digits, spaces and ( ) [ ] . / - ' @ _."
    elif _here(Image, registration).filter(name=registration.name).exists():
        yield "name", "An image of this account and region has this name. Choose another."
    elif _is_under_way(registration):
        yield "name", "A registration of this name is under way. Choose another."


def _here(model: Any, registration: Registration) -> Any:
    rows = model.objects.present()
    return rows.filter(account=registration.account, region=registration.region)


def _is_under_way(registration: Registration) -> bool:
    others = Registration.objects.under_way().exclude(key=registration.key)
    here = others.filter(account=registration.account, region=registration.region)
    return here.filter(name=registration.name).exists()


def _tag_problems(wanted: Any) -> Iterator[str]:
    if not isinstance(wanted, dict) or not all(isinstance(v, str) for v in wanted.values()):
        yield "Give the tags as keys with texts."
        return
    if len(wanted) > _MOST_TAGS:
        yield "Use at most 49 tags."
    for key, value in wanted.items():
        if not 1 <= len(key) <= _LONGEST_KEY or len(value) > _LONGEST_VALUE:
            yield "A key has 1 to 127 characters, a value at most 256."
        if key.lower().startswith(("aws:", "amiportal:")):
            yield "Keys that begin with aws: or amiportal: are reserved."


def _of_snapshot(registration: Registration) -> Iterator[tuple[str, str]]:
    yield from hardware_problems(registration)
    wanted = [registration.snapshot_id, *_further_snapshots(registration.block_devices)]
    found = {row.aws_id: row for row in _here(Snapshot, registration).filter(aws_id__in=wanted)}
    root = found.get(registration.snapshot_id)
    if root is None:
        yield "snapshot_id", "This account has no such snapshot in this region. Choose another."
    elif root.state != "completed":
        yield "snapshot_id", f"The snapshot is {root.state or 'not ready'}. Wait for it."
    elif root.storage_tier == "archive":
        yield "snapshot_id", "The snapshot is archived. Restore it to the standard tier first."
    if not DEVICE.fullmatch(registration.root_device_name):
        yield "root_device_name", "Write a device name such as /dev/xvda or /dev/sda1."
    volume = Volume(
        registration.volume_type,
        registration.volume_size,
        registration.iops,
        registration.throughput,
        least=root.volume_size if root else None,
        is_root=True,
    )
    yield from problems(volume)
    usable = {
        aws_id: row.volume_size
        for aws_id, row in found.items()
        if row.state == "completed" and row.storage_tier != "archive"
    }
    yield from _further(registration, registration.root_device_name, usable)


def _further_snapshots(devices: Any) -> list[str]:
    if not isinstance(devices, list):
        return []
    volumes = [item.get("Ebs") for item in devices if isinstance(item, dict)]
    return [str(ebs.get("SnapshotId", "")) for ebs in volumes if isinstance(ebs, dict)]


def _further(
    registration: Registration, root: str, sizes: Mapping[str, int | None]
) -> Iterator[tuple[str, str]]:
    found = list(device_problems(registration.block_devices, root, sizes))
    if found:
        yield "block_devices", " ".join(found)


def _of_manifest(registration: Registration) -> Iterator[tuple[str, str]]:
    yield from hardware_problems(registration)
    if not _MANIFEST.fullmatch(registration.image_location):
        yield "image_location", "Write bucket/path/name.manifest.xml, without s3://."
    if registration.snapshot_id:
        yield "snapshot_id", "Leave it empty: an image from a manifest has no root snapshot."
    yield from _further(registration, "", {})


def _of_instance(registration: Registration) -> Iterator[tuple[str, str]]:
    rows = _here(Instance, registration).filter(aws_id=registration.source_instance_id)
    instance = rows.first()
    if instance is None:
        yield "source_instance_id", "This account has no such instance in this region."
        return
    if instance.state not in {"running", "stopped"}:
        yield (
            "source_instance_id",
            f"The instance is {instance.state or 'in no known state'}. It must run or be stopped.",
        )
    if registration.boot_mode not in {"", "uefi"}:
        yield "boot_mode", "Choose uefi or none: CreateImage can change it to nothing else."
    elif registration.boot_mode == "uefi" and instance.boot_mode == "legacy-bios":
        yield "boot_mode", "Choose none: the instance boots with legacy BIOS."


def _of_copy(registration: Registration) -> Iterator[tuple[str, str]]:
    rows = Image.objects.present().filter(
        aws_id=registration.source_image_id, region=registration.source_region
    )
    source = rows.first()
    if source is None:
        yield "source_image_id", "There is no such image in that region."
    elif source.state != "available":
        yield (
            "source_image_id",
            (
                f"The image is {source.state or 'in no known state'}. Only available ones can be "
                "copied."
            ),
        )
    if registration.kms_key_id and not registration.is_encrypted:
        yield "kms_key_id", "A key is used only for an encrypted copy. Choose encryption as well."


_BY_METHOD: Mapping[str, Callable[[Registration], Iterator[tuple[str, str]]]] = {
    Method.SNAPSHOT: _of_snapshot,
    Method.MANIFEST: _of_manifest,
    Method.INSTANCE: _of_instance,
    Method.COPY: _of_copy,
}
