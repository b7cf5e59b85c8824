"""EC2's reading of snapshots, volumes, instances and Reserved Instances."""

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.aws.errors import Refused
from sandbox.aws.ids import missing
from sandbox.aws.reading import PRODUCT_CODES, Readers, dry, filtered, member, page, part
from sandbox.aws.scope import Scope
from sandbox.aws.state import Thing

Params = Mapping[str, Any]
REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "eu-central-1")
NOT_OPTED_IN = ("af-south-1",)


def _readers(**names: str) -> Readers:
    return {name.replace("_", "-"): member(key) for name, key in names.items()}


_SNAPSHOTS = _readers(
    snapshot_id="SnapshotId",
    volume_id="VolumeId",
    volume_size="VolumeSize",
    status="State",
    progress="Progress",
    start_time="StartTime",
    description="Description",
    owner_id="OwnerId",
    owner_alias="OwnerAlias",
    encrypted="Encrypted",
    storage_tier="StorageTier",
)
_VOLUMES: Readers = {
    **_readers(
        volume_id="VolumeId",
        status="State",
        size="Size",
        snapshot_id="SnapshotId",
        volume_type="VolumeType",
        encrypted="Encrypted",
        create_time="CreateTime",
        availability_zone="AvailabilityZone",
    ),
    "attachment.instance-id": part("Attachments", "InstanceId"),
    "attachment.device": part("Attachments", "Device"),
    "attachment.status": part("Attachments", "State"),
}
_IMAGE_METADATA: Readers = {
    **_readers(instance_id="InstanceId", instance_type="InstanceType", launch_time="LaunchTime"),
    "instance-state-name": part("State", "Name"),
    "availability-zone": part("Placement", "AvailabilityZone"),
    "zone-id": part("Placement", "AvailabilityZoneId"),
}
_INSTANCES: Readers = {
    **_IMAGE_METADATA,
    **_readers(
        architecture="Architecture",
        image_id="ImageId",
        platform="Platform",
        platform_details="PlatformDetails",
        usage_operation="UsageOperation",
        usage_operation_update_time="UsageOperationUpdateTime",
        instance_lifecycle="InstanceLifecycle",
        root_device_name="RootDeviceName",
        root_device_type="RootDeviceType",
    ),
    **PRODUCT_CODES,
    "instance-state-code": part("State", "Code"),
    "availability-zone-id": part("Placement", "AvailabilityZoneId"),
    "tenancy": lambda instance: [instance["Placement"].get("Tenancy", "default")],
    "block-device-mapping.volume-id": part("BlockDeviceMappings", "Ebs", "VolumeId"),
}
_RESERVED = _readers(
    state="State",
    scope="Scope",
    start="Start",
    end="End",
    duration="Duration",
    fixed_price="FixedPrice",
    usage_price="UsagePrice",
    instance_type="InstanceType",
    product_description="ProductDescription",
    reserved_instances_id="ReservedInstancesId",
    availability_zone="AvailabilityZone",
    availability_zone_id="AvailabilityZoneId",
)
_MODIFICATIONS = {
    **_readers(
        reserved_instances_modification_id="ReservedInstancesModificationId",
        status="Status",
        effective_date="EffectiveDate",
    ),
    "reserved-instances-id": part("ReservedInstancesIds", "ReservedInstancesId"),
    "modification-result.reserved-instances-id": part("ModificationResults", "ReservedInstancesId"),
}
_REGIONS = _readers(region_name="RegionName", endpoint="Endpoint", opt_in_status="OptInStatus")
_ID_OF = {"snapshots": "SnapshotId", "volumes": "VolumeId", "instances": "InstanceId"}


def _named(scope: Scope, kind: str, wanted: Sequence[str]) -> list[Thing]:
    """Return own things, all or those with the ids; refused if one of them is not there."""
    things = {str(thing[_ID_OF[kind]]): thing for thing in scope.mine(kind)}
    for aws_id in wanted:
        if aws_id not in things:
            raise missing(kind, aws_id)
    return [things[aws_id] for aws_id in wanted] if wanted else list(things.values())


def describe_snapshots(scope: Scope, params: Params) -> dict[str, Any]:
    dry(params)
    owners = {scope.account if o == "self" else o for o in params.get("OwnerIds", [])}
    things = _named(scope, "snapshots", params.get("SnapshotIds", ()))
    if owners:
        things = [thing for thing in things if thing["OwnerId"] in owners]
    return page(filtered(things, params.get("Filters", []), _SNAPSHOTS), params, "Snapshots")


def describe_snapshot_attribute(scope: Scope, params: Params) -> dict[str, Any]:
    """Tell the product codes; no attribute tells the billing code."""
    (snapshot,) = _named(scope, "snapshots", [params["SnapshotId"]])
    dry(params)
    answer: dict[str, Any] = {"SnapshotId": snapshot["SnapshotId"]}
    if params["Attribute"] == "productCodes":
        answer["ProductCodes"] = snapshot.get("_product_codes", [])
    else:
        answer["CreateVolumePermissions"] = snapshot.get("_permissions", [])
    return answer


def describe_volumes(scope: Scope, params: Params) -> dict[str, Any]:
    dry(params)
    things = _named(scope, "volumes", params.get("VolumeIds", ()))
    return page(filtered(things, params.get("Filters", []), _VOLUMES), params, "Volumes")


def describe_instances(scope: Scope, params: Params) -> dict[str, Any]:
    if "InstanceIds" in params and "MaxResults" in params:
        message = "The parameter instancesSet cannot be used with the parameter maxResults"
        raise Refused("InvalidParameterCombination", message)
    dry(params)
    things = _named(scope, "instances", params.get("InstanceIds", ()))
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
    things = _named(scope, "instances", params.get("InstanceIds", ()))
    found = [
        {
            **instance,
            "OwnerId": scope.account,
            "AvailabilityZone": instance.get("Placement", {}).get("AvailabilityZone"),
            "ZoneId": instance.get("Placement", {}).get("AvailabilityZoneId"),
            "ImageMetadata": _metadata(scope, instance),
        }
        for instance in filtered(things, params.get("Filters", []), _IMAGE_METADATA)
    ]
    return page(found, {"MaxResults": 1000, **params}, "InstanceImageMetadata")


def _metadata(scope: Scope, instance: Thing) -> Thing:
    image = scope.state.things["images"].get(instance["ImageId"])
    if image is None:
        return {"ImageId": instance["ImageId"], **instance.get("_image", {})}
    return {**image, "IsPublic": image.get("Public", False)}


def describe_reserved_instances(scope: Scope, params: Params) -> dict[str, Any]:
    """Tell all purchases at once: this operation has no pages."""
    dry(params)
    things = filtered(scope.mine("reserved_instances"), params.get("Filters", []), _RESERVED)
    for name in ("OfferingClass", "OfferingType"):
        if name in params:
            things = [thing for thing in things if thing.get(name) == params[name]]
    wanted = params.get("ReservedInstancesIds", [])
    for aws_id in wanted:
        if scope.find("reserved_instances", aws_id) is None:
            message = f"The ID '{aws_id}' does not exist"
            raise Refused("InvalidReservedInstancesId", message)
    if wanted:
        things = [thing for thing in things if thing["ReservedInstancesId"] in wanted]
    return {"ReservedInstances": things}


def describe_reserved_instances_modifications(scope: Scope, params: Params) -> dict[str, Any]:
    """Tell what was modified into what, page by page; a caller can't choose their size."""
    every = [_modification(made) for made in scope.mine("reserved_instances")]
    found = filtered(filter(None, every), params.get("Filters", []), _MODIFICATIONS)
    if wanted := params.get("ReservedInstancesModificationIds", []):
        found = [each for each in found if each["ReservedInstancesModificationId"] in wanted]
    return page(found, {"MaxResults": 100, **params}, "ReservedInstancesModifications")


def _modification(made: Thing) -> Thing | None:
    if not made.get("_modified_from"):
        return None
    return {
        "ReservedInstancesModificationId": f"rimod-{made['ReservedInstancesId']}",
        "ReservedInstancesIds": [{"ReservedInstancesId": each} for each in made["_modified_from"]],
        "ModificationResults": [
            {
                "ReservedInstancesId": made["ReservedInstancesId"],
                "TargetConfiguration": {
                    name: made[name]
                    for name in ("AvailabilityZone", "InstanceCount", "InstanceType", "Scope")
                    if name in made
                },
            }
        ],
        "CreateDate": made["Start"],
        "UpdateDate": made["Start"],
        "EffectiveDate": made["Start"],
        "Status": "fulfilled",
    }


def describe_regions(scope: Scope, params: Params) -> dict[str, Any]:
    """Tell the regions that are enabled; with AllRegions, or by name, the others too."""
    dry(params)
    every = [*_regions(REGIONS, "opt-in-not-required"), *_regions(NOT_OPTED_IN, "not-opted-in")]
    wanted = params.get("RegionNames")
    if wanted:
        unknown = set(wanted) - {region["RegionName"] for region in every}
        if unknown:
            raise Refused("InvalidParameterValue", f"Invalid region names: {sorted(unknown)}")
        found = [region for region in every if region["RegionName"] in wanted]
    else:
        found = every if params.get("AllRegions") else every[: len(REGIONS)]
    return {"Regions": filtered(found, params.get("Filters", []), _REGIONS)}


def _regions(names: Sequence[str], status: str) -> list[Thing]:
    return [
        {"RegionName": name, "Endpoint": f"ec2.{name}.amazonaws.com", "OptInStatus": status}
        for name in names
    ]


def get_ebs_encryption_by_default(scope: Scope, params: Params) -> dict[str, Any]:
    dry(params)
    regions = scope.state.accounts.get(scope.account, {}).get("EncryptedRegions", [])
    return {"EbsEncryptionByDefault": scope.region in regions}


OPERATIONS = {
    "DescribeSnapshots": describe_snapshots,
    "DescribeSnapshotAttribute": describe_snapshot_attribute,
    "DescribeVolumes": describe_volumes,
    "DescribeInstances": describe_instances,
    "DescribeInstanceImageMetadata": describe_instance_image_metadata,
    "DescribeReservedInstances": describe_reserved_instances,
    "DescribeReservedInstancesModifications": describe_reserved_instances_modifications,
    "DescribeRegions": describe_regions,
    "GetEbsEncryptionByDefault": get_ebs_encryption_by_default,
}
