"""EC2's operations on images that exist."""

from collections.abc import Mapping
from typing import Any

from sandbox.aws.errors import Refused
from sandbox.aws.reading import Readers, dry, filtered, member, page, tags_of
from sandbox.aws.scope import Scope
from sandbox.aws.state import Thing, text

Params = Mapping[str, Any]
_SNAPSHOTS = "block-device-mapping.snapshot-id"
READERS: Readers = {
    **{
        name: member(key)
        for name, key in {
            "architecture": "Architecture",
            "description": "Description",
            "image-id": "ImageId",
            "name": "Name",
            "owner-id": "OwnerId",
            "owner-alias": "ImageOwnerAlias",
            "platform": "Platform",
            "root-device-type": "RootDeviceType",
            "source-image-id": "SourceImageId",
            "source-image-region": "SourceImageRegion",
            "source-instance-id": "SourceInstanceId",
            "state": "State",
            "virtualization-type": "VirtualizationType",
            "is-public": "Public",
        }.items()
    },
    _SNAPSHOTS: lambda image: list(snapshots_of(image)),
}


def snapshots_of(image: Thing) -> list[str]:
    """Return the snapshots of an image, the root's first."""
    devices = image.get("BlockDeviceMappings", [])
    root = image.get("RootDeviceName")
    ordered = sorted(devices, key=lambda device: device.get("DeviceName") != root)
    found = [device.get("Ebs", {}).get("SnapshotId") for device in ordered]
    return [snapshot_id for snapshot_id in found if snapshot_id]


def shown(scope: Scope, image: Thing) -> Thing:
    """Return an image as it stands now: pending for a while, then available."""
    if image["State"] == "pending" and text(scope.state.now) >= image.get("_available_at", ""):
        image["State"] = "available"
    return image


def is_visible(scope: Scope, image: Thing) -> bool:
    return text(scope.state.now) >= str(image.get("_visible_at", ""))


def reach(scope: Scope, image_id: str) -> Thing:
    """Return an own image; InvalidAMIID.NotFound if there is none, or none yet."""
    image = scope.find("images", image_id)
    if image is None or not is_visible(scope, image):
        raise Refused("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")
    return shown(scope, image)


def _visible(scope: Scope) -> list[Thing]:
    """Own images, and the public ones of others in the region."""
    return [
        shown(scope, image)
        for image in scope.state.things["images"].values()
        if image["_region"] == scope.region
        and (image["_account"] == scope.account or image.get("Public"))
        and is_visible(scope, image)
    ]


def describe_images(scope: Scope, params: Params) -> dict[str, Any]:
    dry(params)
    images = _visible(scope)
    owners = {scope.account if owner == "self" else owner for owner in params.get("Owners", [])}
    if owners:
        images = [i for i in images if {i["OwnerId"], i.get("ImageOwnerAlias")} & owners]
    wanted = params.get("ImageIds")
    if wanted:
        known = {image["ImageId"] for image in images}
        for image_id in wanted:
            if image_id not in known:
                message = f"The image id '[{image_id}]' does not exist"
                raise Refused("InvalidAMIID.NotFound", message)
        images = [image for image in images if image["ImageId"] in wanted]
    if not params.get("IncludeDisabled"):
        images = [image for image in images if image["State"] != "disabled"]
    images = [image for image in images if _is_listed(scope, image, params)]
    return page(filtered(images, params.get("Filters", []), READERS), params, "Images")


def _is_listed(scope: Scope, image: Thing, params: Params) -> bool:
    # Owners see their deprecated images whatever they ask for.
    if image["_account"] == scope.account or params.get("IncludeDeprecated"):
        return True
    return str(image.get("DeprecationTime", "9")) > text(scope.state.now)


def describe_image_attribute(scope: Scope, params: Params) -> dict[str, Any]:
    dry(params)
    image = reach(scope, params["ImageId"])
    attribute = params["Attribute"]
    answer: dict[str, Any] = {"ImageId": image["ImageId"]}
    if attribute == "productCodes":
        answer["ProductCodes"] = image.get("ProductCodes", [])
    elif attribute == "description":
        answer["Description"] = {"Value": image.get("Description", "")}
    elif attribute == "launchPermission":
        answer["LaunchPermissions"] = image.get("_permissions", [])
    elif attribute == "blockDeviceMapping":
        raise Refused("AuthFailure", "Unauthorized attempt to access restricted resource", 403)
    return answer


def modify_image_attribute(scope: Scope, params: Params) -> dict[str, Any]:
    """Change what AWS lets one change: never a billing code, never product codes."""
    dry(params)
    image = reach(scope, params["ImageId"])
    if params.get("ProductCodes"):
        raise Refused("InvalidParameterValue", "Product codes can't be changed here.")
    if "Description" in params:
        image["Description"] = params["Description"]["Value"]
    if "ImdsSupport" in params:
        image["ImdsSupport"] = params["ImdsSupport"]["Value"]
    for permission in params.get("LaunchPermission", {}).get("Add", []):
        image.setdefault("_permissions", []).append(permission)
    scope.state.version += 1
    return {}


def create_tags(scope: Scope, params: Params) -> dict[str, Any]:
    dry(params)
    for aws_id in params["Resources"]:
        thing = next(
            (found for kind in scope.state.things if (found := scope.find(kind, aws_id))), None
        )
        if thing is None:
            raise Refused("InvalidID", f"The ID '{aws_id}' is not valid")
        tags = tags_of(thing) | {tag["Key"]: tag.get("Value", "") for tag in params["Tags"]}
        thing["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    scope.state.version += 1
    return {}


def disable_image(scope: Scope, params: Params) -> dict[str, Any]:
    """Disable an image; its launch permissions are gone and do not come back."""
    dry(params)
    image = reach(scope, params["ImageId"])
    image["State"] = "disabled"
    image["_permissions"] = []
    image["Public"] = False
    scope.state.version += 1
    return {"Return": True}


def enable_image(scope: Scope, params: Params) -> dict[str, Any]:
    dry(params)
    image = reach(scope, params["ImageId"])
    image["State"] = "available"
    scope.state.version += 1
    return {"Return": True}


def deregister_image(scope: Scope, params: Params) -> dict[str, Any]:
    dry(params)
    image = reach(scope, params["ImageId"])
    del scope.state.things["images"][image["ImageId"]]
    if scope.state.accounts.get(scope.account, {}).get("RecycleBin"):
        scope.put("recycled", image["ImageId"], image)
    results = []
    if params.get("DeleteAssociatedSnapshots"):
        results = [_delete_snapshot(scope, aws_id) for aws_id in snapshots_of(image)]
    scope.state.version += 1
    return {"Return": True, "DeleteSnapshotResults": results}


def _delete_snapshot(scope: Scope, snapshot_id: str) -> Thing:
    is_used = any(snapshot_id in snapshots_of(image) for image in scope.mine("images"))
    if not is_used:
        scope.state.things["snapshots"].pop(snapshot_id, None)
    return {"SnapshotId": snapshot_id, "ReturnCode": "skipped" if is_used else "success"}


def list_recycled(scope: Scope, params: Params) -> dict[str, Any]:
    dry(params)
    wanted = params.get("ImageIds")
    images = [i for i in scope.mine("recycled") if not wanted or i["ImageId"] in wanted]
    return page(images, params, "Images")


def restore(scope: Scope, params: Params) -> dict[str, Any]:
    dry(params)
    image = scope.find("recycled", params["ImageId"])
    if image is None:
        message = f"The image id '[{params['ImageId']}]' does not exist"
        raise Refused("InvalidAMIID.NotFound", message)
    del scope.state.things["recycled"][image["ImageId"]]
    scope.put("images", image["ImageId"], image)
    return {"Return": True}


def ancestry(scope: Scope, params: Params) -> dict[str, Any]:
    """Follow the recorded sources; images made by RegisterImage have none."""
    dry(params)
    entries: list[Thing] = []
    image: Thing | None = reach(scope, params["ImageId"])
    while image is not None and len(entries) < 50:  # noqa: PLR2004  # AWS's own limit
        source = image.get("SourceImageId", "")
        entries.append(
            {
                "ImageId": image["ImageId"],
                "CreationDate": image.get("CreationDate"),
                "ImageOwnerAlias": image.get("ImageOwnerAlias"),
                "SourceImageId": source or None,
                "SourceImageRegion": image.get("SourceImageRegion"),
            }
        )
        image = scope.state.things["images"].get(source)
    return {"ImageAncestryEntries": entries}


def references(scope: Scope, params: Params) -> dict[str, Any]:
    """Tell which own instances refer to the images."""
    dry(params)
    found = [
        {
            "ImageId": instance["ImageId"],
            "ResourceType": "ec2:Instance",
            "Arn": f"arn:aws:ec2:{scope.region}:{scope.account}:instance/{instance['InstanceId']}",
        }
        for instance in scope.mine("instances")
        if instance["ImageId"] in params["ImageIds"]
    ]
    return page(found, params, "ImageReferences")


OPERATIONS = {
    "DescribeImages": describe_images,
    "DescribeImageAttribute": describe_image_attribute,
    "ModifyImageAttribute": modify_image_attribute,
    "CreateTags": create_tags,
    "DisableImage": disable_image,
    "EnableImage": enable_image,
    "DeregisterImage": deregister_image,
    "ListImagesInRecycleBin": list_recycled,
    "RestoreImageFromRecycleBin": restore,
    "GetImageAncestry": ancestry,
    "DescribeImageReferences": references,
}
