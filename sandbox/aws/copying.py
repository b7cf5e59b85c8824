"""CreateImage and CopyImage: images that record where they come from."""

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.aws.billing import PLAIN, code_of
from sandbox.aws.errors import Refused
from sandbox.aws.ids import missing
from sandbox.aws.images import reach_any, snapshots_of
from sandbox.aws.reading import dry, tags_of
from sandbox.aws.registering import make, named
from sandbox.aws.scope import Scope
from sandbox.aws.state import Thing, text
from sandbox.aws.tags import merged, specified

Params = Mapping[str, Any]
_BOTH = ("image", "snapshot")
_COPIED = (
    "Architecture",
    "VirtualizationType",
    "EnaSupport",
    "SriovNetSupport",
    "RootDeviceType",
    "RootDeviceName",
    "BootMode",
    "TpmSupport",
    "ImdsSupport",
)
# What an image of an instance takes from the instance, and what from its image where it can.
_OF_INSTANCE = (
    "Architecture",
    "VirtualizationType",
    "EnaSupport",
    "SriovNetSupport",
    "RootDeviceName",
    "BootMode",
    "TpmSupport",
    "KernelId",
    "RamdiskId",
)
_OF_IMAGE = (*_OF_INSTANCE, "ImdsSupport")
# Stands for the image of an instance that is gone or hidden.
_UNKNOWN: Thing = {"EnaSupport": True}


def create_image(scope: Scope, params: Params) -> dict[str, Any]:
    """Make an image of an instance: it passes its billing code on. The name is the only key."""
    instance = scope.find("instances", params["InstanceId"])
    if instance is None:
        raise missing("instances", params["InstanceId"])
    if instance["State"]["Name"] not in {"running", "stopped"}:
        message = f"The instance {instance['InstanceId']} is neither running nor stopped."
        raise Refused("IncorrectState", message)
    base = named(scope, params)
    base["Tags"] = specified(params, "image", allowed=_BOTH)
    tags = specified(params, "snapshot", allowed=_BOTH)
    changes = _changes(params.get("BlockDeviceMappings", []), instance)
    source: Thing = scope.state.things["images"].get(instance["ImageId"], _UNKNOWN)
    hardware = _passed_on(instance, source)
    if params.get("BootModeOverride"):
        _check_uefi(instance, hardware)
        hardware["BootMode"] = params["BootModeOverride"]
    dry(params)
    if instance["State"]["Name"] == "running" and not params.get("NoReboot"):
        instance["_rebooted_at"] = text(scope.state.now)
    origin = {
        "SourceInstanceId": instance["InstanceId"],
        "SourceImageId": instance["ImageId"],
        "SourceImageRegion": scope.region,
    }
    image_id = make(scope, {**base, **hardware, **origin, **code_of(instance)})
    description = f"Created by CreateImage({instance['InstanceId']}) for {image_id}"
    scope.state.things["images"][image_id]["BlockDeviceMappings"] = [
        _photographed(scope, device, instance, {"Description": description, "Tags": tags}, changes)
        for device in instance.get("BlockDeviceMappings", [])
        if changes.get(device["DeviceName"], True) is not None
    ]
    return {"ImageId": image_id}


def _passed_on(instance: Thing, source: Thing) -> Thing:
    """Return the hardware of an image of an instance: the instance's own, else its image's."""
    base = {"Architecture": "x86_64", "VirtualizationType": "hvm", "RootDeviceType": "ebs"}
    told = {key: source[key] for key in _OF_IMAGE if key in source}
    own = {key: instance[key] for key in _OF_INSTANCE if key in instance}
    return {**base, **told, **own}


def _check_uefi(instance: Thing, hardware: Thing) -> None:
    # That this is the code is unconfirmed. Where the instance does not say how it booted, its boot
    # mode does; Graviton boots with UEFI only.
    mode = instance.get("CurrentInstanceBootMode", hardware.get("BootMode", ""))
    is_arm = hardware.get("Architecture") == "arm64"
    if mode not in {"uefi", "uefi-preferred"} and not is_arm:
        message = f"The instance {instance['InstanceId']} does not boot with UEFI."
        raise Refused("InvalidParameterValue", message)


def _changes(devices: Sequence[Thing], instance: Thing) -> dict[str, bool | None]:
    """Return what a request changes of the instance's devices: DeleteOnTermination, None: drop."""
    known = {device["DeviceName"] for device in instance.get("BlockDeviceMappings", [])}
    found: dict[str, bool | None] = {}
    for device in devices:
        name, ebs = device.get("DeviceName", ""), device.get("Ebs", {})
        if name not in known or ebs.keys() - {"DeleteOnTermination"}:
            message = f"Of {name}, only DeleteOnTermination can be changed here."
            raise Refused("InvalidBlockDeviceMapping", message)
        found[name] = None if "NoDevice" in device else ebs.get("DeleteOnTermination", True)
    return found


def _photographed(
    scope: Scope,
    device: Thing,
    instance: Thing,
    members: Thing,
    changes: Mapping[str, bool | None],
) -> Thing:
    """Take a snapshot of a volume, with the hidden billing metadata of the instance."""
    volume_id = device["Ebs"]["VolumeId"]
    volume = scope.find("volumes", volume_id) or {}
    snapshot_id = scope.state.new_id("snap")
    size = volume.get("Size", 8)
    snapshot = {
        "SnapshotId": snapshot_id,
        "OwnerId": scope.account,
        "VolumeId": volume_id,
        "VolumeSize": size,
        "State": "completed",
        "Progress": "100%",
        "StorageTier": "standard",
        "StartTime": text(scope.state.now),
        "Encrypted": volume.get("Encrypted", False),
        "_billing": instance.get("UsageOperation"),
        "_product_codes": instance.get("ProductCodes", []),
        **members,
    }
    scope.put("snapshots", snapshot_id, snapshot)
    ebs = {
        "SnapshotId": snapshot_id,
        "VolumeSize": size,
        "VolumeType": volume.get("VolumeType", "gp3"),
        "DeleteOnTermination": changes.get(device["DeviceName"], True),
        "Encrypted": snapshot["Encrypted"],
    }
    return {"DeviceName": device["DeviceName"], "Ebs": ebs}


def copy_image(scope: Scope, params: Params) -> dict[str, Any]:
    """Copy an image into this region; its code comes along. The client token makes it once."""
    asked = {name: value for name, value in params.items() if name not in {"DryRun", "ClientToken"}}
    key = f"{scope.account} {scope.region} {params.get('ClientToken', '')}"
    before = scope.state.tokens.get(key) if params.get("ClientToken") else None
    if before:
        if before["asked"] != asked:
            message = "The client token was used before, with other parameters."
            raise Refused("IdempotentParameterMismatch", message)
        return {"ImageId": before["image_id"]}
    source = _copyable(scope, params)
    base = named(scope, {"Description": source.get("Description", ""), **params})
    tags = specified(params, "image", allowed=_BOTH)
    kept = _kept_tags(source) if params.get("CopyImageTags") else {}
    base["Tags"] = merged({"Tags": tags}, kept | tags_of({"Tags": tags}))
    snapshot_tags = specified(params, "snapshot", allowed=_BOTH)
    dry(params)
    origin = {"SourceImageId": source["ImageId"], "SourceImageRegion": params["SourceRegion"]}
    hardware = {key: source[key] for key in _COPIED if key in source}
    image_id = make(scope, {**base, **hardware, **origin, **code_of(source)})
    image = scope.state.things["images"][image_id]
    _copy_snapshots(scope, source, image, snapshot_tags, is_encrypted=params.get("Encrypted"))
    if params.get("ClientToken"):
        scope.state.tokens[key] = {"asked": asked, "image_id": image_id}
    return {"ImageId": image_id}


def _copyable(scope: Scope, params: Params) -> Thing:
    there = Scope(scope.state, scope.account, params["SourceRegion"])
    source = reach_any(there, params["SourceImageId"])
    if source["State"] != "available":
        message = f"The image {source['ImageId']} is {source['State']}, not available."
        raise Refused("InvalidAMIID.Unavailable", message)
    is_foreign = source["_account"] != scope.account
    if is_foreign and (source.get("UsageOperation") != PLAIN or source.get("ProductCodes")):
        message = (
            "An image with a billing code that another account owns cannot be copied. "
            "Launch an instance from it and create an image of that."
        )
        raise Refused("InvalidRequest", message)
    if params.get("KmsKeyId") and not params.get("Encrypted"):
        raise Refused("InvalidParameterDependency", "KmsKeyId requires Encrypted.")
    return source


def _kept_tags(source: Thing) -> dict[str, str]:
    return {key: value for key, value in tags_of(source).items() if not key.startswith("aws:")}


def _copy_snapshots(
    scope: Scope, source: Thing, image: Thing, tags: list[Thing], *, is_encrypted: bool | None
) -> None:
    epoch = f"{int(scope.state.now.timestamp() * 1000):,}"
    copies = {}
    for old in snapshots_of(source):
        snapshot = scope.state.things["snapshots"].get(old, {})
        copies[old] = scope.state.new_id("snap")
        description = (
            f"Copied for DestinationAmi {image['ImageId']} from SourceAmi {source['ImageId']} "
            f"for SourceSnapshot {old}. Task created on {epoch}."
        )
        changes = {
            "SnapshotId": copies[old],
            "OwnerId": scope.account,
            "VolumeId": "vol-ffffffff",  # AWS: arbitrary, not to be used
            "Description": description,
            "StartTime": text(scope.state.now),
            "Encrypted": bool(is_encrypted or snapshot.get("Encrypted")),
            "Tags": tags,
        }
        scope.put("snapshots", copies[old], {**snapshot, **changes})
    image["BlockDeviceMappings"] = [
        _pointed(device, copies, is_encrypted=is_encrypted)
        for device in source.get("BlockDeviceMappings", [])
    ]


def _pointed(device: Thing, copies: Mapping[str, str], *, is_encrypted: bool | None) -> Thing:
    ebs = device.get("Ebs", {})
    if ebs.get("SnapshotId") not in copies:
        return device
    encrypted = bool(is_encrypted or ebs.get("Encrypted"))
    return {
        **device,
        "Ebs": {**ebs, "SnapshotId": copies[ebs["SnapshotId"]], "Encrypted": encrypted},
    }


OPERATIONS = {"CreateImage": create_image, "CopyImage": copy_image}
