"""Block devices of a new image: what RegisterImage takes, and what it makes of it."""

import re
from collections.abc import Sequence

from sandbox.aws.errors import Refused
from sandbox.aws.ids import missing
from sandbox.aws.scope import Scope
from sandbox.aws.state import Thing

# Sizes in GiB, and IOPS, that each type of volume can have.
_SIZES = {
    "gp3": (1, 65_536),
    "gp2": (1, 16_384),
    "io1": (4, 16_384),
    "io2": (4, 65_536),
    "st1": (125, 16_384),
    "sc1": (125, 16_384),
    "standard": (1, 1_024),
}
_IOPS = {"gp3": (3_000, 80_000), "io1": (100, 64_000), "io2": (100, 256_000)}
_THROUGHPUT = (125, 2_000)
_VIRTUAL_NAME = re.compile(r"ephemeral\d+", re.ASCII)
_NEVER_ROOT = frozenset({"st1", "sc1"})


def mapped(scope: Scope, devices: Sequence[Thing], root: str) -> list[Thing]:
    """Return the devices as the image will show them; Refused where one cannot be."""
    names = [device.get("DeviceName") for device in devices]
    if len(set(names)) < len(names):
        raise _bad("A device name is given twice.")
    for device in devices:
        if device.get("DeviceName") == root and _type_of(device) in _NEVER_ROOT:
            raise _bad(f"A root volume cannot be of type {_type_of(device)}.")
    return [_mapped(scope, device) for device in devices]


def root_snapshot(scope: Scope, devices: Sequence[Thing], root: str) -> Thing:
    """Return the snapshot that the root device is made from."""
    for device in devices:
        if is_root_snapshot(device, root):
            return _snapshot(scope, device["Ebs"]["SnapshotId"])
    raise _bad(f"There is no root device {root} with a snapshot.")


def is_root_snapshot(device: Thing, root: str | None) -> bool:
    return device.get("DeviceName") == root and bool(device.get("Ebs", {}).get("SnapshotId"))


def _mapped(scope: Scope, device: Thing) -> Thing:
    if "Ebs" not in device:
        if not _VIRTUAL_NAME.fullmatch(device.get("VirtualName", "ephemeral0")):
            raise _bad(f"{device['VirtualName']} is no volume of an instance store.")
        return device
    ebs = dict(device["Ebs"])
    if "SnapshotId" in ebs:
        _take_from_snapshot(_snapshot(scope, ebs["SnapshotId"]), ebs)
    elif "VolumeSize" not in ebs:
        message = "The request must contain the parameter size or snapshotId"
        raise Refused("MissingParameter", message)
    ebs.setdefault("VolumeType", "gp2")
    ebs.setdefault("DeleteOnTermination", True)
    ebs.setdefault("Encrypted", False)
    _check(ebs)
    return {**device, "Ebs": ebs}


def _take_from_snapshot(snapshot: Thing, ebs: Thing) -> None:
    snapshot_id = snapshot["SnapshotId"]
    if "Encrypted" in ebs:
        raise _bad("Parameter encrypted is invalid. You cannot specify it with a snapshot.")
    if snapshot["State"] != "completed" or snapshot.get("StorageTier") == "archive":
        raise Refused("IncorrectState", f"Snapshot {snapshot_id} is not in a usable state.")
    size = ebs.setdefault("VolumeSize", snapshot["VolumeSize"])
    if size < snapshot["VolumeSize"]:
        raise _bad(f"Volume of size {size}GB is smaller than snapshot '{snapshot_id}'")
    ebs["Encrypted"] = snapshot.get("Encrypted", False)


def _check(ebs: Thing) -> None:
    kind = _type_of({"Ebs": ebs})
    if kind not in _SIZES:
        raise _bad(f"There is no volume type {kind}.")
    if "KmsKeyId" in ebs:
        raise _bad("KmsKeyId is not supported here.")
    _check_range("VolumeSize", ebs["VolumeSize"], _SIZES[kind])
    if "Iops" in ebs:
        if kind not in _IOPS:
            raise _bad(f"The parameter iops is not supported for {kind} volumes.")
        _check_range("Iops", ebs["Iops"], _IOPS[kind])
    elif kind in {"io1", "io2"}:
        raise Refused(
            "MissingParameter", f"The parameter iops must be specified for {kind} volumes."
        )
    if "Throughput" in ebs:
        if kind != "gp3":
            raise _bad(f"The parameter throughput is not supported for {kind} volumes.")
        _check_range("Throughput", ebs["Throughput"], _THROUGHPUT)


def _check_range(name: str, value: int, allowed: tuple[int, int]) -> None:
    least, most = allowed
    if not least <= value <= most:
        raise _bad(f"{name} {value} is not between {least} and {most}.")


def _type_of(device: Thing) -> str:
    return str(device.get("Ebs", {}).get("VolumeType", ""))


def _snapshot(scope: Scope, snapshot_id: str) -> Thing:
    snapshot = scope.find("snapshots", snapshot_id)
    if snapshot is None:
        raise missing("snapshots", snapshot_id)
    return snapshot


def _bad(message: str) -> Refused:
    return Refused("InvalidBlockDeviceMapping", message)
