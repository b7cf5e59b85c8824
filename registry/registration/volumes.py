"""What a block device of a new image can be, and in words what is wrong with one.

Source of the limits: the API reference of EbsBlockDevice. AWS has ratios of IOPS and throughput to
size besides; they are not confirmed, so they are left to AWS's own check.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

DEVICE = re.compile(r"/dev/[a-z0-9]{2,20}|xvd[a-z]{1,2}")
VIRTUAL = re.compile(r"ephemeral\d{1,2}")
SNAPSHOT = re.compile(r"snap-[0-9a-f]{8,17}")
MOST_DEVICES = 40


@dataclass(frozen=True, slots=True)
class Limits:
    """Least and most: GiB, operations a second, MiB a second; None: not to be given."""

    size: tuple[int, int]
    iops: tuple[int, int] | None = None
    needs_iops: bool = False
    throughput: tuple[int, int] | None = None
    can_be_root: bool = True


LIMITS: Mapping[str, Limits] = {
    "gp3": Limits((1, 65_536), iops=(3_000, 80_000), throughput=(125, 2_000)),
    "gp2": Limits((1, 16_384)),
    "io2": Limits((4, 65_536), iops=(100, 256_000), needs_iops=True),
    "io1": Limits((4, 16_384), iops=(100, 64_000), needs_iops=True),
    "st1": Limits((125, 16_384), can_be_root=False),
    "sc1": Limits((125, 16_384), can_be_root=False),
    "standard": Limits((1, 1_024)),
}
VOLUME_TYPES = tuple(LIMITS)
DEFAULT_TYPE = "gp3"  # of a further volume for which nobody chose one
ROOT_TYPES = tuple(kind for kind, limits in LIMITS.items() if limits.can_be_root)


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume as asked for. `least`: the size of its snapshot, None where that is not known."""

    volume_type: str = ""
    size: int | None = None
    iops: int | None = None
    throughput: int | None = None
    least: int | None = None
    is_root: bool = False


def problems(volume: Volume) -> Iterator[tuple[str, str]]:
    """Yield field and what to do, for each that AWS would refuse."""
    limits = LIMITS.get(volume.volume_type)
    if limits is None:
        yield "volume_type", f"Choose {_or(VOLUME_TYPES)}."
        return
    kind = volume.volume_type
    if volume.is_root and not limits.can_be_root:
        yield "volume_type", f"A root volume can't be {kind}. Choose {_or(ROOT_TYPES)}."
    if volume.least and volume.size is not None and volume.size < volume.least:
        yield "volume_size", f"Use at least {volume.least} GiB, the size of its snapshot."
    else:
        size = volume.least if volume.size is None else volume.size
        yield from _range("volume_size", size, limits.size, f"GiB for {kind}")
    yield from _speed_problems(volume, limits)


def _speed_problems(volume: Volume, limits: Limits) -> Iterator[tuple[str, str]]:
    kind = volume.volume_type
    if limits.iops is None and volume.iops is not None:
        yield "iops", f"Leave IOPS empty: {kind} volumes have none to choose."
    elif limits.needs_iops and volume.iops is None:
        yield "iops", f"Say how many IOPS: {kind} volumes need them."
    elif limits.iops:
        yield from _range("iops", volume.iops, limits.iops, f"IOPS for {kind}")
    if limits.throughput is None and volume.throughput is not None:
        yield "throughput", "Leave the throughput empty: only gp3 volumes have one to choose."
    elif limits.throughput:
        yield from _range("throughput", volume.throughput, limits.throughput, "MiB/s")


def device_problems(devices: Any, root: str, sizes: Mapping[str, int | None]) -> Iterator[str]:
    """Yield what is wrong with the further devices; `sizes` are those of the known snapshots."""
    if not isinstance(devices, list) or not all(isinstance(item, dict) for item in devices):
        yield "Give the further devices as a list of mappings."
        return
    if len(devices) > MOST_DEVICES:
        yield f"Use at most {MOST_DEVICES} further devices."
    names = [root]
    for device in devices:
        name = str(device.get("DeviceName", ""))
        if not DEVICE.fullmatch(name):
            yield f"{name or 'A device'}: write a device name such as /dev/sdf."
        elif name in names:
            yield f"{name} is given twice. Choose another device name."
        names.append(name)
        yield from (f"{name}: {text}" for text in _device_problems(device, sizes))


_MEMBERS = {"DeviceName", "Ebs", "VirtualName", "NoDevice"}
_NUMBERS = ("VolumeSize", "Iops", "Throughput")
_SWITCHES = ("DeleteOnTermination", "Encrypted")
_EBS = {"SnapshotId", "VolumeType", *_NUMBERS, *_SWITCHES}


def _device_problems(device: Mapping[str, Any], sizes: Mapping[str, int | None]) -> Iterator[str]:
    unknown = device.keys() - _MEMBERS
    if unknown:
        yield f"there is no {', '.join(sorted(unknown))}."
    kinds = [name for name in ("Ebs", "VirtualName", "NoDevice") if name in device]
    if len(kinds) != 1:
        yield "say one of: a volume, an instance store (ephemeral0), no device."
    elif "VirtualName" in device and not VIRTUAL.fullmatch(str(device["VirtualName"])):
        yield "name the instance store ephemeral0, ephemeral1 and so on."
    elif "NoDevice" in device and device["NoDevice"] != "":
        yield "leave the text of NoDevice empty."
    elif "Ebs" in device:
        yield from _ebs_problems(device["Ebs"], sizes)


def _ebs_problems(ebs: Any, sizes: Mapping[str, int | None]) -> Iterator[str]:
    if not isinstance(ebs, dict):
        yield "describe the volume as a mapping."
        return
    unknown = ebs.keys() - _EBS
    if unknown:
        yield f"a volume of an image has no {', '.join(sorted(unknown))} to choose."
    yield from _origin_problems(ebs, sizes)
    if not all(type(ebs[name]) is bool for name in _SWITCHES if name in ebs):
        yield "say true or false of DeleteOnTermination and Encrypted."
    if not all(type(ebs[name]) is int for name in _NUMBERS if name in ebs):
        yield "write size, IOPS and throughput as whole numbers."
        return
    size, iops, throughput = (ebs.get(name) for name in _NUMBERS)
    least = sizes.get(str(ebs.get("SnapshotId")))
    asked = Volume(str(ebs.get("VolumeType", DEFAULT_TYPE)), size, iops, throughput, least=least)
    yield from (text[0].lower() + text[1:] for _, text in problems(asked))


def _origin_problems(ebs: Mapping[str, Any], sizes: Mapping[str, int | None]) -> Iterator[str]:
    if "SnapshotId" in ebs:
        snapshot_id = str(ebs["SnapshotId"])
        if snapshot_id not in sizes:
            yield f"this account has no usable snapshot {snapshot_id} in this region."
        if "Encrypted" in ebs:
            yield "leave the encryption out: it follows the snapshot, and AWS refuses any value."
    elif "VolumeSize" not in ebs:
        yield "give a size, or the snapshot it is made of."


def _range(
    field: str, value: int | None, allowed: tuple[int, int], unit: str
) -> Iterator[tuple[str, str]]:
    least, most = allowed
    if value is not None and not least <= value <= most:
        yield field, f"Use {least:,} to {most:,} {unit}."


def _or(allowed: tuple[str, ...]) -> str:
    return f"{', '.join(allowed[:-1])} or {allowed[-1]}"
