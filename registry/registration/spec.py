"""A registration as parameters of RegisterImage, and what can be known to be wrong before."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from registry.billing.codes import canonical
from registry.models import Image, Registration, Snapshot

# The letters that all of AWS's own texts agree on, and those that the API takes besides.
NAME = re.compile(r"[A-Za-z0-9()\[\] ./\-'@_]{3,128}")
DEVICE = re.compile(r"/dev/[a-z0-9]{2,20}|xvd[a-z]{1,2}")
TAG = "amiportal:registration"
ARCHITECTURES = ("x86_64", "arm64")
BOOT_MODES = ("", "uefi-preferred", "uefi", "legacy-bios")
VOLUME_TYPES = ("gp3", "gp2")
IMDS_SUPPORT = ("", "v2.0")
_LONGEST_DESCRIPTION, _MOST_TAGS = 255, 49  # of fifty tags, one is ours
_LONGEST_KEY, _LONGEST_VALUE = 127, 256


class Refused(Exception):
    """A registration that AWS would refuse; `problems` says what to do, by field."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


def parameters(registration: Registration) -> dict[str, Any]:
    """Return the parameters of RegisterImage.

    Architecture and virtualization are always named: AWS's own defaults are i386 and paravirtual.
    Encryption is never named: with a snapshot, the call would fail whatever the value.
    """
    device = {
        "DeviceName": registration.root_device_name,
        "Ebs": {
            "SnapshotId": registration.snapshot_id,
            "VolumeType": registration.volume_type,
            "DeleteOnTermination": True,
        },
    }
    found = {
        "Name": registration.name,
        "Description": registration.description,
        "Architecture": registration.architecture,
        "VirtualizationType": "hvm",
        "EnaSupport": True,
        "RootDeviceName": registration.root_device_name,
        "BlockDeviceMappings": [device],
        "BootMode": registration.boot_mode,
        "ImdsSupport": registration.imds_support,
    }
    return {name: value for name, value in found.items() if value != ""}


def tags(registration: Registration) -> dict[str, str]:
    """Return the tags of the image; ours is the mark by which it is found again."""
    return {**registration.tags, TAG: str(registration.key)}


def check(registration: Registration) -> None:
    """Raise Refused if AWS would refuse, as far as the mirror can tell."""
    problems = dict(_problems(registration))
    if problems:
        raise Refused(problems)


def _problems(registration: Registration) -> Iterator[tuple[str, str]]:
    if not registration.account.is_synced:
        yield "account", "This account is only known from a recording. Connect it first."
    if not NAME.fullmatch(registration.name):
        yield "name", "Use 3 to 128 letters, digits, spaces and ( ) [ ] . / - ' @ _."
    elif _has_name(registration):
        yield "name", "An image of this account and region has this name. Choose another."
    elif _is_under_way(registration):
        yield "name", "A registration of this name is under way. Choose another."
    if len(registration.description) > _LONGEST_DESCRIPTION:
        yield "description", "Use at most 255 characters."
    if canonical(registration.expected_usage_operation) is None:
        yield "expected_usage_operation", "Choose what AWS must bill it as."
    yield from _hardware_problems(registration)
    yield from _tag_problems(registration.tags)
    yield from _snapshot_problems(registration)


def _hardware_problems(registration: Registration) -> Iterator[tuple[str, str]]:
    for field, allowed in (
        ("architecture", ARCHITECTURES),
        ("boot_mode", BOOT_MODES),
        ("volume_type", VOLUME_TYPES),
        ("imds_support", IMDS_SUPPORT),
    ):
        if getattr(registration, field) not in allowed:
            yield field, f"Choose {_or(allowed)}."
    if registration.architecture == "arm64" and registration.boot_mode == "legacy-bios":
        yield "boot_mode", "Instances with arm64 boot with UEFI only. Choose uefi or none."
    if not DEVICE.fullmatch(registration.root_device_name):
        yield "root_device_name", "Write a device name such as /dev/xvda or /dev/sda1."


def _or(allowed: Sequence[str]) -> str:
    return " or ".join(value or "none" for value in allowed)


def _has_name(registration: Registration) -> bool:
    here = Image.objects.present().filter(account=registration.account, region=registration.region)
    return here.filter(name=registration.name).exists()


def _is_under_way(registration: Registration) -> bool:
    others = Registration.objects.under_way().exclude(key=registration.key)
    here = others.filter(account=registration.account, region=registration.region)
    return here.filter(name=registration.name).exists()


def _tag_problems(wanted: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if len(wanted) > _MOST_TAGS:
        yield "tags", "Use at most 49 tags."
    for key, value in wanted.items():
        if not 1 <= len(key) <= _LONGEST_KEY or len(value) > _LONGEST_VALUE:
            yield "tags", "A key has 1 to 127 characters, a value at most 256."
        if key.lower().startswith(("aws:", "amiportal:")):
            yield "tags", "Keys that begin with aws: or amiportal: are reserved."


def _snapshot_problems(registration: Registration) -> Iterator[tuple[str, str]]:
    here = Snapshot.objects.present().filter(
        account=registration.account, region=registration.region
    )
    snapshot = here.filter(aws_id=registration.snapshot_id).first()
    if snapshot is None:
        yield "snapshot_id", "This account has no such snapshot in this region. Choose another."
    elif snapshot.state != "completed":
        yield "snapshot_id", f"The snapshot is {snapshot.state or 'not ready'}. Wait for it."
    elif snapshot.storage_tier == "archive":
        yield "snapshot_id", "The snapshot is archived. Restore it to the standard tier first."
