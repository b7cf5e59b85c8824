"""RegisterImage, CreateImage and CopyImage."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sandbox.aws.billing import code_of, code_of_snapshot
from sandbox.aws.errors import Refused
from sandbox.aws.images import reach, snapshots_of
from sandbox.aws.reading import dry
from sandbox.aws.scope import Scope
from sandbox.aws.state import Thing, text

Params = Mapping[str, Any]
_NAME = re.compile(r"[A-Za-z0-9()\[\] ./\-'@_]{3,128}")


def register_image(scope: Scope, params: Params) -> dict[str, Any]:
    """Register an image from a snapshot, or from a manifest. No client token exists."""
    name = _free_name(scope, params.get("Name", ""))
    if params.get("BillingProducts"):
        raise Refused("AuthFailure", "You are not authorized to use billing products.", 403)
    tags = _tags(params, "image")
    if params.get("ImageLocation"):
        found: Thing = {
            "RootDeviceType": "instance-store",
            "ImageLocation": params["ImageLocation"],
        }
        found |= code_of_snapshot({})
    else:
        found = _from_snapshot(scope, params)
    _check_hardware(params)
    dry(params)
    image = {
        "Name": name,
        "Description": params.get("Description", ""),
        # AWS's defaults, and traps: send both always.
        "Architecture": params.get("Architecture", "i386"),
        "VirtualizationType": params.get("VirtualizationType", "paravirtual"),
        "EnaSupport": params.get("EnaSupport", False),
        "Tags": tags,
        **{
            key: params[key]
            for key in ("BootMode", "TpmSupport", "ImdsSupport", "SriovNetSupport", "KernelId")
            if key in params
        },
        **found,
    }
    return {"ImageId": make(scope, image)}


def make(scope: Scope, image: Thing) -> str:
    """Let an image begin to exist: seen after a while, available after another."""
    now = scope.state.now
    image_id = scope.state.new_id("ami")
    visible = now + timedelta(seconds=scope.state.invisible_seconds)
    available = now + timedelta(seconds=scope.state.pending_seconds)
    base = {
        "ImageId": image_id,
        "OwnerId": scope.account,
        "CreationDate": text(now),
        "State": "pending",
        "Public": False,
        "ImageType": "machine",
        "Hypervisor": "xen",
        "ImageLocation": f"{scope.account}/{image['Name']}",
        "_visible_at": text(visible) if scope.state.invisible_seconds else "",
        "_available_at": text(available) if scope.state.pending_seconds else "",
    }
    scope.put("images", image_id, {**base, **image})
    return image_id


def _free_name(scope: Scope, name: str) -> str:
    if not _NAME.fullmatch(name):
        message = "AMI names must be between 3 and 128 characters long, of letters, numbers and ..."
        raise Refused("InvalidAMIName.Malformed", message)
    taken = next((image for image in scope.mine("images") if image["Name"] == name), None)
    if taken:
        message = f"AMI name {name} is already in use by AMI {taken['ImageId']}"
        raise Refused("InvalidAMIName.Duplicate", message)
    return name


def _tags(params: Params, resource: str, *, allowed: Sequence[str] = ("image",)) -> list[Thing]:
    tags: list[Thing] = []
    for specification in params.get("TagSpecifications", []):
        kind = specification.get("ResourceType")
        if kind not in allowed:
            raise Refused(
                "InvalidParameterValue", f"'{kind}' is not a valid taggable resource type"
            )
        if kind == resource:
            tags += specification.get("Tags", [])
    return [{"Key": tag["Key"], "Value": tag.get("Value", "")} for tag in tags]


def _from_snapshot(scope: Scope, params: Params) -> Thing:
    root = params.get("RootDeviceName")
    devices = params.get("BlockDeviceMappings", [])
    if not root or not devices:
        raise Refused("InvalidRequest", "The request received was invalid.")
    rooted = [device for device in devices if device.get("DeviceName") == root]
    if not rooted or not rooted[0].get("Ebs", {}).get("SnapshotId"):
        message = f"Unable to find root device {root} with a snapshot"
        raise Refused("InvalidBlockDeviceMapping", message)
    mapped = [_mapped(scope, device) for device in devices]
    snapshot = scope.find("snapshots", rooted[0]["Ebs"]["SnapshotId"])
    return {
        "RootDeviceType": "ebs",
        "RootDeviceName": root,
        "BlockDeviceMappings": mapped,
        **code_of_snapshot(snapshot or {}),
        **(
            {"ProductCodes": snapshot["_product_codes"]}
            if snapshot and "_product_codes" in snapshot
            else {}
        ),
    }


def _mapped(scope: Scope, device: Thing) -> Thing:
    ebs = dict(device.get("Ebs", {}))
    snapshot_id = ebs.get("SnapshotId")
    if not snapshot_id:
        return device
    if "Encrypted" in ebs:
        message = "Parameter encrypted is invalid. You cannot specify it with a snapshot."
        raise Refused("InvalidBlockDeviceMapping", message)
    snapshot = scope.find("snapshots", snapshot_id)
    if snapshot is None:
        message = f"The snapshot '{snapshot_id}' does not exist."
        raise Refused("InvalidSnapshot.NotFound", message)
    if snapshot["State"] != "completed" or snapshot.get("StorageTier") == "archive":
        raise Refused("IncorrectState", f"Snapshot {snapshot_id} is not in a usable state.")
    size = ebs.setdefault("VolumeSize", snapshot["VolumeSize"])
    if size < snapshot["VolumeSize"]:
        message = f"Volume of size {size}GB is smaller than snapshot '{snapshot_id}'"
        raise Refused("InvalidBlockDeviceMapping", message)
    ebs.setdefault("VolumeType", "gp2")
    ebs.setdefault("DeleteOnTermination", True)
    return {**device, "Ebs": {**ebs, "Encrypted": snapshot.get("Encrypted", False)}}


def _check_hardware(params: Params) -> None:
    if params.get("TpmSupport") and params.get("BootMode") != "uefi":
        raise Refused("InvalidParameterCombination", "TpmSupport requires BootMode uefi.")
    is_hvm = params.get("VirtualizationType") == "hvm"
    if params.get("EnaSupport") and not is_hvm:
        raise Refused("InvalidParameterCombination", "EnaSupport requires hvm.")


def create_image(scope: Scope, params: Params) -> dict[str, Any]:
    """Make an image of an instance: it passes its billing code on."""
    instance = scope.find("instances", params["InstanceId"])
    if instance is None:
        message = f"The instance ID '{params['InstanceId']}' does not exist"
        raise Refused("InvalidInstanceID.NotFound", message)
    name = _free_name(scope, params["Name"])
    kinds = ("image", "snapshot")
    tags = _tags(params, "image", allowed=kinds)
    dry(params)
    source = scope.state.things["images"].get(instance["ImageId"], {})
    image = {
        "Name": name,
        "Description": params.get("Description", ""),
        "Architecture": instance["Architecture"],
        "VirtualizationType": "hvm",
        "EnaSupport": True,
        "RootDeviceType": "ebs",
        "RootDeviceName": instance["RootDeviceName"],
        "SourceInstanceId": instance["InstanceId"],
        "SourceImageId": instance["ImageId"],
        "SourceImageRegion": scope.region,
        "Tags": tags,
        **({"BootMode": source["BootMode"]} if "BootMode" in source else {}),
        **code_of(instance),
    }
    image_id = make(scope, image)
    stored = scope.state.things["images"][image_id]
    description = f"Created by CreateImage({instance['InstanceId']}) for {image_id}"
    stored["BlockDeviceMappings"] = [
        _snapshot_of(scope, device, description, instance, _tags(params, "snapshot", allowed=kinds))
        for device in instance["BlockDeviceMappings"]
    ]
    return {"ImageId": image_id}


def _snapshot_of(
    scope: Scope, device: Thing, description: str, instance: Thing, tags: list[Thing]
) -> Thing:
    volume_id = device["Ebs"]["VolumeId"]
    volume = scope.find("volumes", volume_id) or {}
    snapshot_id = scope.state.new_id("snap")
    size = volume.get("Size", 8)
    scope.put(
        "snapshots",
        snapshot_id,
        {
            "SnapshotId": snapshot_id,
            "OwnerId": scope.account,
            "VolumeId": volume_id,
            "VolumeSize": size,
            "State": "completed",
            "Progress": "100%",
            "StorageTier": "standard",
            "StartTime": text(scope.state.now),
            "Description": description,
            "Encrypted": volume.get("Encrypted", False),
            "Tags": tags,
            "_billing": instance["UsageOperation"],
        },
    )
    ebs = {"SnapshotId": snapshot_id, "VolumeSize": size, "VolumeType": "gp3"}
    return {"DeviceName": device["DeviceName"], "Ebs": {**ebs, "DeleteOnTermination": True}}


def copy_image(scope: Scope, params: Params) -> dict[str, Any]:
    """Copy an image into this region; its code comes along. The client token makes it once."""
    token = params.get("ClientToken")
    key = f"{scope.account} {scope.region} {token}"
    if token and key in scope.state.tokens:
        return {"ImageId": scope.state.tokens[key]}
    source = reach(
        Scope(scope.state, scope.account, params["SourceRegion"]), params["SourceImageId"]
    )
    name = _free_name(scope, params["Name"])
    tags = _tags(params, "image", allowed=("image", "snapshot"))
    dry(params)
    kept = ("Architecture", "VirtualizationType", "EnaSupport", "RootDeviceType", "RootDeviceName")
    more = ("BootMode", "TpmSupport", "ImdsSupport")
    image = {
        **{key: source[key] for key in (*kept, *more) if key in source},
        **code_of(source),
        "Name": name,
        "Description": params.get("Description", source.get("Description", "")),
        "SourceImageId": source["ImageId"],
        "SourceImageRegion": params["SourceRegion"],
        "Tags": [*tags, *(source.get("Tags", []) if params.get("CopyImageTags") else [])],
    }
    image_id = make(scope, image)
    _copy_snapshots(scope, source, scope.state.things["images"][image_id])
    if token:
        scope.state.tokens[key] = image_id
    return {"ImageId": image_id}


def _copy_snapshots(scope: Scope, source: Thing, image: Thing) -> None:
    epoch = f"{int(scope.state.now.timestamp() * 1000):,}"
    copies = {}
    for old in snapshots_of(source):
        snapshot = scope.state.things["snapshots"].get(old, {})
        copies[old] = scope.state.new_id("snap")
        description = (
            f"Copied for DestinationAmi {image['ImageId']} from SourceAmi {source['ImageId']} "
            f"for SourceSnapshot {old}. Task created on {epoch}."
        )
        members = {key: value for key, value in snapshot.items() if key[0] != "_"}
        billing = {"_billing": snapshot.get("_billing")}
        changes = {
            "SnapshotId": copies[old],
            "VolumeId": "vol-ffffffff",
            "Description": description,
        }
        scope.put("snapshots", copies[old], {**members, **billing, **changes})
    image["BlockDeviceMappings"] = [
        {**device, "Ebs": {**device["Ebs"], "SnapshotId": copies[device["Ebs"]["SnapshotId"]]}}
        if device.get("Ebs", {}).get("SnapshotId")
        else device
        for device in source.get("BlockDeviceMappings", [])
    ]


OPERATIONS = {
    "RegisterImage": register_image,
    "CreateImage": create_image,
    "CopyImage": copy_image,
}
