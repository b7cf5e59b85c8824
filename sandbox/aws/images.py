"""EC2's operations on images that exist."""

from collections.abc import Mapping
from typing import Any

from sandbox.aws.billing import without_code
from sandbox.aws.errors import Refused
from sandbox.aws.ids import missing
from sandbox.aws.reading import PRODUCT_CODES, Readers, dry, filtered, member, page, part
from sandbox.aws.scope import Scope
from sandbox.aws.state import State, Thing, text

Params = Mapping[str, Any]
_MOST_LEVELS = 50
_LONGEST_DESCRIPTION = 255
# The words are unconfirmed: AWS documents only that there are a code and a message.
_FAILED = {"Code": "Server.InternalError", "Message": "An internal error has occurred"}
READERS: Readers = {
    **{
        name: member(key)
        for name, key in {
            "architecture": "Architecture",
            "creation-date": "CreationDate",
            "description": "Description",
            "ena-support": "EnaSupport",
            "hypervisor": "Hypervisor",
            "image-id": "ImageId",
            "image-type": "ImageType",
            "is-public": "Public",
            "manifest-location": "ImageLocation",
            "name": "Name",
            "owner-alias": "ImageOwnerAlias",
            "owner-id": "OwnerId",
            "platform": "Platform",
            "root-device-name": "RootDeviceName",
            "root-device-type": "RootDeviceType",
            "source-image-id": "SourceImageId",
            "source-image-region": "SourceImageRegion",
            "source-instance-id": "SourceInstanceId",
            "state": "State",
            "virtualization-type": "VirtualizationType",
        }.items()
    },
    **PRODUCT_CODES,
    "block-device-mapping.device-name": part("BlockDeviceMappings", "DeviceName"),
    "block-device-mapping.encrypted": part("BlockDeviceMappings", "Ebs", "Encrypted"),
    "block-device-mapping.snapshot-id": part("BlockDeviceMappings", "Ebs", "SnapshotId"),
    "block-device-mapping.volume-size": part("BlockDeviceMappings", "Ebs", "VolumeSize"),
    "block-device-mapping.volume-type": part("BlockDeviceMappings", "Ebs", "VolumeType"),
}
# The attributes that are one value: as DescribeImageAttribute names them, and its answer.
_VALUES = {
    "description": "Description",
    "kernel": "KernelId",
    "ramdisk": "RamdiskId",
    "sriovNetSupport": "SriovNetSupport",
    "bootMode": "BootMode",
    "tpmSupport": "TpmSupport",
    "uefiData": "UefiData",
    "lastLaunchedTime": "LastLaunchedTime",
    "imdsSupport": "ImdsSupport",
    "deregistrationProtection": "DeregistrationProtection",
}


def snapshots_of(image: Thing) -> list[str]:
    """Return the snapshots of an image, the root's first."""
    devices = image.get("BlockDeviceMappings", [])
    root = image.get("RootDeviceName")
    ordered = sorted(devices, key=lambda device: device.get("DeviceName") != root)
    found = [device.get("Ebs", {}).get("SnapshotId") for device in ordered]
    return [snapshot_id for snapshot_id in found if snapshot_id]


def shown(scope: Scope, image: Thing) -> Thing:
    """Return an image as it stands now: pending for a while, then available or failed."""
    if image["State"] == "pending" and text(scope.state.now) >= image.get("_available_at", ""):
        failed = {"State": "failed", "StateReason": _FAILED}
        image.update(failed if image.get("_fails") else {"State": "available"})
    return image


def _told(scope: Scope, image: Thing) -> Thing:
    """Return an image as DescribeImages tells it: its code comes late."""
    is_early = text(scope.state.now) < str(image.get("_coded_at", ""))
    return without_code(image) if is_early else image


def every(state: State) -> list[Thing]:
    """Return all images there are, whoever owns them and whether anybody sees them yet."""
    with state.lock:
        images = [shown(Scope(state, "", ""), one) for one in state.things["images"].values()]
        return [{name: one[name] for name in one if _is_told(name)} for one in images]


def _is_told(member: str) -> bool:
    return not member.startswith("_") or member in {"_account", "_region"}


def reach(scope: Scope, image_id: str) -> Thing:
    """Return an own image; InvalidAMIID.NotFound if there is none, or none yet."""
    image = reach_any(scope, image_id)
    if image["_account"] != scope.account:
        raise Refused("AuthFailure", f"Not authorized for image:{image_id}", 403)
    return image


def reach_any(scope: Scope, image_id: str) -> Thing:
    """Return an image that the account can see: its own, a public or a shared one."""
    image = scope.state.things["images"].get(image_id)
    if image is None or image["_region"] != scope.region or not _is_visible(scope, image):
        raise missing("images", image_id)
    return shown(scope, image)


def _is_visible(scope: Scope, image: Thing) -> bool:
    if text(scope.state.now) < str(image.get("_visible_at", "")):
        return False
    shared_with = {permission.get("UserId") for permission in image.get("_permissions", [])}
    return (
        image["_account"] == scope.account
        or bool(image.get("Public"))
        or scope.account in shared_with
    )


def describe_images(scope: Scope, params: Params) -> dict[str, Any]:
    dry(params)
    images = [
        _told(scope, shown(scope, image))
        for image in scope.state.things["images"].values()
        if image["_region"] == scope.region and _is_visible(scope, image)
    ]
    wanted = params.get("ImageIds")
    if wanted:
        known = {image["ImageId"]: image for image in images}
        for image_id in wanted:
            if image_id not in known:
                raise missing("images", image_id)
        images = [image for aws_id, image in known.items() if aws_id in wanted]
    owners = {scope.account if owner == "self" else owner for owner in params.get("Owners", [])}
    if owners:
        images = [i for i in images if {i["OwnerId"], i.get("ImageOwnerAlias")} & owners]
    images = [image for image in images if _is_listed(scope, image, params)]
    return page(filtered(images, params.get("Filters", []), READERS), params, "Images")


def _is_listed(scope: Scope, image: Thing, params: Params) -> bool:
    users = {
        scope.account if user == "self" else user for user in params.get("ExecutableUsers", [])
    }
    if users and not users & _users_of(image):
        return False
    if image["State"] == "disabled" and not params.get("IncludeDisabled"):
        return False
    # Owners see their deprecated images whatever they ask for.
    if image["_account"] == scope.account or params.get("IncludeDeprecated"):
        return True
    return str(image.get("DeprecationTime", "9")) > text(scope.state.now)


def _users_of(image: Thing) -> set[str]:
    return {
        permission.get("UserId") or permission.get("Group", "")
        for permission in image.get("_permissions", [])
    }


def describe_image_attribute(scope: Scope, params: Params) -> dict[str, Any]:
    image = reach(scope, params["ImageId"])
    dry(params)
    attribute = params["Attribute"]
    answer: dict[str, Any] = {"ImageId": image["ImageId"]}
    if attribute == "blockDeviceMapping":  # deprecated
        raise Refused("AuthFailure", "Unauthorized attempt to access restricted resource", 403)
    if attribute == "productCodes":
        answer["ProductCodes"] = image.get("ProductCodes", [])
    elif attribute == "launchPermission":
        answer["LaunchPermissions"] = image.get("_permissions", [])
    else:
        name = _VALUES[attribute]
        answer[name] = {"Value": image[name]} if name in image else {}
    return answer


def modify_image_attribute(scope: Scope, params: Params) -> dict[str, Any]:
    """Change what AWS lets one change: never a billing code, never product codes."""
    image = reach(scope, params["ImageId"])
    changes = _changes(params)
    if len(changes) != 1:
        raise Refused("InvalidParameterCombination", "Exactly one attribute can be modified.")
    attribute, value = next(iter(changes.items()))
    new: Thing
    if attribute == "launchPermission":
        new = {"_permissions": _permitted(image, value)}
        new["Public"] = {"Group": "all"} in new["_permissions"]
    elif attribute == "description":
        if len(value) > _LONGEST_DESCRIPTION:
            raise Refused("InvalidParameterValue", "The description is too long.")
        new = {"Description": value}
    elif attribute == "imdsSupport" and value == "v2.0":
        new = {"ImdsSupport": value}
    else:
        raise Refused("InvalidParameterValue", f"{attribute} can't be set to {value} here.")
    dry(params)
    image.update(new)
    scope.state.version += 1
    return {}


def _changes(params: Params) -> dict[str, Any]:
    """Return the attributes that a request changes; it has two ways of naming them."""
    found: dict[str, Any] = {}
    if "Description" in params:
        found["description"] = params["Description"].get("Value", "")
    if "ImdsSupport" in params:
        found["imdsSupport"] = params["ImdsSupport"].get("Value", "")
    if "LaunchPermission" in params:
        found["launchPermission"] = params["LaunchPermission"]
    if "ProductCodes" in params:
        found["productCodes"] = params["ProductCodes"]
    attribute = params.get("Attribute")
    if attribute == "launchPermission":
        found.setdefault("launchPermission", _listed_permissions(params))
    elif attribute:
        found.setdefault(attribute, params.get("Value", ""))
    return found


def _listed_permissions(params: Params) -> Thing:
    word = {"add": "Add", "remove": "Remove"}.get(params.get("OperationType", ""), "")
    users = [{"UserId": number} for number in params.get("UserIds", [])]
    groups = [{"Group": name} for name in params.get("UserGroups", [])]
    return {word: users + groups}


def _permitted(image: Thing, change: Mapping[str, list[Thing]]) -> list[Thing]:
    added, removed = change.get("Add", []), change.get("Remove", [])
    if {"Group": "all"} in added and image.get("ProductCodes"):
        message = "Images with a Marketplace product code cannot be made public."
        raise Refused("InvalidParameterValue", message)
    if added and image["State"] == "disabled":
        raise Refused("InvalidAMIID.Unavailable", f"The image {image['ImageId']} is disabled.")
    before = image.get("_permissions", [])
    kept = [permission for permission in before if permission not in removed]
    return kept + [permission for permission in added if permission not in kept]


def ancestry(scope: Scope, params: Params) -> dict[str, Any]:
    """Follow the recorded sources; images made by RegisterImage have none."""
    image: Thing | None = reach_any(scope, params["ImageId"])
    dry(params)
    entries: list[Thing] = []
    while image is not None and len(entries) < _MOST_LEVELS:
        source = image.get("SourceImageId", "")
        names = ("ImageId", "CreationDate", "ImageOwnerAlias", "SourceImageId", "SourceImageRegion")
        entries.append({name: image[name] for name in names if image.get(name)})
        image = scope.state.things["images"].get(source)
    return {"ImageAncestryEntries": entries}


OPERATIONS = {
    "DescribeImages": describe_images,
    "DescribeImageAttribute": describe_image_attribute,
    "ModifyImageAttribute": modify_image_attribute,
    "GetImageAncestry": ancestry,
}
