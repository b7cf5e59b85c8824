"""EC2's reading of snapshots, volumes, instances and Reserved Instances."""

from collections.abc import Mapping
from typing import Any

from sandbox.aws.errors import Refused
from sandbox.aws.reading import Readers, dry, filtered, member, page
from sandbox.aws.scope import Scope
from sandbox.aws.state import Thing

Params = Mapping[str, Any]
REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "eu-central-1")


def _readers(**names: str) -> Readers:
    return {name.replace("_", "-"): member(key) for name, key in names.items()}


_SNAPSHOTS = _readers(
    snapshot_id="SnapshotId",
    volume_id="VolumeId",
    status="State",
    description="Description",
    owner_id="OwnerId",
    encrypted="Encrypted",
    storage_tier="StorageTier",
)
_VOLUMES = _readers(
    volume_id="VolumeId", status="State", snapshot_id="SnapshotId", volume_type="VolumeType"
)
_INSTANCES: Readers = {
    **_readers(
        image_id="ImageId",
        instance_id="InstanceId",
        instance_type="InstanceType",
        platform_details="PlatformDetails",
        usage_operation="UsageOperation",
        instance_lifecycle="InstanceLifecycle",
    ),
    "instance-state-name": lambda instance: [instance["State"]["Name"]],
    "tenancy": lambda instance: [instance["Placement"].get("Tenancy", "default")],
    "availability-zone": lambda instance: [instance["Placement"].get("AvailabilityZone", "")],
}
_RESERVED = _readers(
    state="State",
    scope="Scope",
    instance_type="InstanceType",
    product_description="ProductDescription",
)


def _named(scope: Scope, kind: str, wanted: list[str] | None, code: str) -> list[Thing]:
    """Return own things, all or those with the ids; refused if one of them is not there."""
    things = {_id(thing, kind): thing for thing in scope.mine(kind)}
    for aws_id in wanted or []:
        if aws_id not in things:
            raise Refused(code, f"The ID '{aws_id}' does not exist")
    return [things[aws_id] for aws_id in wanted] if wanted else list(things.values())


def _id(thing: Thing, kind: str) -> str:
    return str(thing[{"snapshots": "SnapshotId", "volumes": "VolumeId"}.get(kind, "InstanceId")])


def describe_snapshots(scope: Scope, params: Params) -> dict[str, Any]:
    dry(params)
    owners = {scope.account if o == "self" else o for o in params.get("OwnerIds", [])}
    things = _named(scope, "snapshots", params.get("SnapshotIds"), "InvalidSnapshot.NotFound")
    if owners:
        things = [thing for thing in things if thing["OwnerId"] in owners]
    return page(filtered(things, params.get("Filters", []), _SNAPSHOTS), params, "Snapshots")


def describe_snapshot_attribute(scope: Scope, params: Params) -> dict[str, Any]:
    """Tell the product codes; no attribute tells the billing code."""
    dry(params)
    snapshot = scope.find("snapshots", params["SnapshotId"])
    if snapshot is None:
        message = f"The snapshot '{params['SnapshotId']}' does not exist."
        raise Refused("InvalidSnapshot.NotFound", message)
    answer: dict[str, Any] = {"SnapshotId": snapshot["SnapshotId"]}
    if params["Attribute"] == "productCodes":
        answer["ProductCodes"] = snapshot.get("_product_codes", [])
    return answer


def describe_volumes(scope: Scope, params: Params) -> dict[str, Any]:
    dry(params)
    things = _named(scope, "volumes", params.get("VolumeIds"), "InvalidVolume.NotFound")
    return page(filtered(things, params.get("Filters", []), _VOLUMES), params, "Volumes")


def describe_instances(scope: Scope, params: Params) -> dict[str, Any]:
    dry(params)
    code = "InvalidInstanceID.NotFound"
    things = _named(scope, "instances", params.get("InstanceIds"), code)
    things = filtered(things, params.get("Filters", []), _INSTANCES)
    reservations = [
        {
            "ReservationId": f"r-{instance['InstanceId'][2:]}",
            "OwnerId": scope.account,
            "Instances": [instance],
        }
        for instance in things
    ]
    return page(reservations, params, "Reservations")


def describe_instance_image_metadata(scope: Scope, params: Params) -> dict[str, Any]:
    """Tell the image of each instance, also one that is gone or private."""
    dry(params)
    code = "InvalidInstanceID.NotFound"
    things = _named(scope, "instances", params.get("InstanceIds"), code)
    found = [
        {
            "InstanceId": instance["InstanceId"],
            "InstanceType": instance["InstanceType"],
            "State": instance["State"],
            "OwnerId": scope.account,
            "ImageMetadata": _metadata(scope, instance),
        }
        for instance in things
    ]
    return page(found, params, "InstanceImageMetadata")


def _metadata(scope: Scope, instance: Thing) -> Thing:
    image = scope.state.things["images"].get(instance["ImageId"]) or instance.get("_image", {})
    names = ("Name", "OwnerId", "ImageOwnerAlias", "CreationDate", "State")
    known = {name: image[name] for name in names if name in image}
    if "OwnerId" in known:
        known["ImageOwnerId"] = known["OwnerId"]
    return {"ImageId": instance["ImageId"], **known}


def describe_reserved_instances(scope: Scope, params: Params) -> dict[str, Any]:
    """Tell all purchases at once: this operation has no pages."""
    dry(params)
    things = filtered(scope.mine("reserved_instances"), params.get("Filters", []), _RESERVED)
    wanted = params.get("ReservedInstancesIds")
    if wanted:
        things = [thing for thing in things if thing["ReservedInstancesId"] in wanted]
    return {"ReservedInstances": things}


def describe_regions(scope: Scope, params: Params) -> dict[str, Any]:
    dry(params)
    wanted = params.get("RegionNames") or REGIONS
    return {
        "Regions": [
            {
                "RegionName": name,
                "Endpoint": f"ec2.{name}.amazonaws.com",
                "OptInStatus": "opt-in-not-required",
            }
            for name in REGIONS
            if name in wanted
        ]
    }


def get_ebs_encryption_by_default(scope: Scope, params: Params) -> dict[str, Any]:
    dry(params)
    return {"EbsEncryptionByDefault": False}


OPERATIONS = {
    "DescribeSnapshots": describe_snapshots,
    "DescribeSnapshotAttribute": describe_snapshot_attribute,
    "DescribeVolumes": describe_volumes,
    "DescribeInstances": describe_instances,
    "DescribeInstanceImageMetadata": describe_instance_image_metadata,
    "DescribeReservedInstances": describe_reserved_instances,
    "DescribeRegions": describe_regions,
    "GetEbsEncryptionByDefault": get_ebs_encryption_by_default,
}
