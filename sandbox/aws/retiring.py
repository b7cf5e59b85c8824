"""EC2's ways of retiring an image: disable, deregister, and back from the Recycle Bin."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sandbox.aws.errors import Refused
from sandbox.aws.ids import missing
from sandbox.aws.images import reach, snapshots_of
from sandbox.aws.protecting import check_protection
from sandbox.aws.reading import dry, page
from sandbox.aws.registering import hold, named
from sandbox.aws.scope import Scope
from sandbox.aws.state import Thing, text

Params = Mapping[str, Any]
RETENTION = timedelta(days=14)
_RETURN_CODES = {
    "access-denied": "missing-permissions",
    "server-error": "internal-error",
    "throttle": "client-error",
}


def disable_image(scope: Scope, params: Params) -> dict[str, Any]:
    """Disable an image; its launch permissions are gone and do not come back."""
    image = reach(scope, params["ImageId"])
    if image["State"] not in {"available", "disabled"}:
        message = f"The image {image['ImageId']} is {image['State']}."
        raise Refused("InvalidAMIID.Unavailable", message)
    dry(params)
    image.update({"State": "disabled", "_permissions": [], "Public": False})
    scope.state.version += 1
    return {"Return": True}


def enable_image(scope: Scope, params: Params) -> dict[str, Any]:
    image = reach(scope, params["ImageId"])
    dry(params)
    if image["State"] == "disabled":
        image["State"] = "available"
        scope.state.version += 1
    return {"Return": True}


def deregister_image(scope: Scope, params: Params) -> dict[str, Any]:
    """Take an image away, for good or into the Recycle Bin; its instances run on."""
    image = reach(scope, params["ImageId"])
    check_protection(scope, image)
    dry(params)
    del scope.state.things["images"][image["ImageId"]]
    _remember(scope, image)
    if scope.state.accounts.get(scope.account, {}).get("RecycleBin"):
        times = {
            "RecycleBinEnterTime": text(scope.state.now),
            "RecycleBinExitTime": text(scope.state.now + RETENTION),
        }
        # Whether the name of an image in the bin stays taken is unconfirmed: here it is free.
        scope.put("recycled", image["ImageId"], {**image, **times})
    else:
        hold(scope, image)
    results = []
    if params.get("DeleteAssociatedSnapshots"):
        results = [_delete_snapshot(scope, aws_id) for aws_id in snapshots_of(image)]
    scope.state.version += 1
    return {"Return": True, "DeleteSnapshotResults": results}


def _remember(scope: Scope, image: Thing) -> None:
    """Let its instances keep what DescribeInstanceImageMetadata tells of an image that is gone."""
    names = ("Name", "OwnerId", "ImageOwnerAlias", "CreationDate", "DeprecationTime")
    memory = {name: image[name] for name in names if name in image}
    for instance in scope.state.things["instances"].values():
        if instance["ImageId"] == image["ImageId"]:
            instance["_image"] = {**memory, "State": "deregistered"}


def _delete_snapshot(scope: Scope, snapshot_id: str) -> Thing:
    if any(snapshot_id in snapshots_of(image) for image in scope.mine("images")):
        return {"SnapshotId": snapshot_id, "ReturnCode": "skipped"}
    code = _RETURN_CODES.get(scope.inner("DeleteSnapshot"), "success")
    if code == "success":
        scope.state.things["snapshots"].pop(snapshot_id, None)
    return {"SnapshotId": snapshot_id, "ReturnCode": code}


def list_recycled(scope: Scope, params: Params) -> dict[str, Any]:
    dry(params)
    for image_id in params.get("ImageIds", []):
        _recycled(scope, image_id)
    wanted = params.get("ImageIds")
    kept = [i for i in scope.mine("recycled") if not wanted or i["ImageId"] in wanted]
    return page([image for image in kept if _is_kept(scope, image)], params, "Images")


def restore(scope: Scope, params: Params) -> dict[str, Any]:
    image = _recycled(scope, params["ImageId"])
    named(scope, {"Name": image["Name"]})
    dry(params)
    del scope.state.things["recycled"][image["ImageId"]]
    scope.put("images", image["ImageId"], image)
    return {"Return": True}


def _recycled(scope: Scope, image_id: str) -> Thing:
    image = scope.find("recycled", image_id)
    if image is None or not _is_kept(scope, image):
        raise missing("images", image_id)
    return image


def _is_kept(scope: Scope, image: Thing) -> bool:
    return text(scope.state.now) < str(image.get("RecycleBinExitTime", "9"))


OPERATIONS = {
    "DisableImage": disable_image,
    "EnableImage": enable_image,
    "DeregisterImage": deregister_image,
    "ListImagesInRecycleBin": list_recycled,
    "RestoreImageFromRecycleBin": restore,
}
