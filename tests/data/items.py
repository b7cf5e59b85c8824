"""Things in the words of AWS: as boto3 returns them and as the command line prints them."""

from typing import Any

from sandbox.aws.server import SimulatedAws

ACCOUNT = "999999999999"
REGION = "eu-west-1"
Item = dict[str, Any]


def image_item(number: int = 1, **members: Any) -> Item:
    item = {
        "ImageId": f"ami-{number:017x}",
        "Name": f"web-{number}",
        "Description": "nightly build",
        "OwnerId": ACCOUNT,
        "ImageLocation": f"{ACCOUNT}/web-{number}",
        "State": "available",
        "Public": False,
        "Architecture": "x86_64",
        "ImageType": "machine",
        "Hypervisor": "xen",
        "PlatformDetails": "Linux/UNIX",
        "UsageOperation": "RunInstances",
        "RootDeviceType": "ebs",
        "RootDeviceName": "/dev/xvda",
        "VirtualizationType": "hvm",
        "BootMode": "uefi-preferred",
        "ImdsSupport": "v2.0",
        "EnaSupport": True,
        "SriovNetSupport": "simple",
        "CreationDate": "2026-10-01T08:30:00.000Z",
        "DeprecationTime": "2028-10-01T08:30:00.000Z",
        "LastLaunchedTime": "2026-11-20T06:00:00Z",
        "BlockDeviceMappings": [
            {"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"},
            {
                "DeviceName": "/dev/xvda",
                "Ebs": {
                    "SnapshotId": f"snap-{number:017x}",
                    "VolumeSize": 8,
                    "VolumeType": "gp3",
                    "Iops": 3000,
                    "Throughput": 125,
                    "DeleteOnTermination": True,
                    "Encrypted": False,
                },
            },
        ],
        "Tags": [{"Key": "team", "Value": "web"}, {"Key": "empty", "Value": ""}],
    }
    return item | members


def snapshot_item(number: int = 1, **members: Any) -> Item:
    item = {
        "SnapshotId": f"snap-{number:017x}",
        "OwnerId": ACCOUNT,
        "VolumeId": f"vol-{number:017x}",
        "VolumeSize": 8,
        "State": "completed",
        "Progress": "100%",
        "StorageTier": "standard",
        "StartTime": "2026-10-01T08:00:00+00:00",
        "Description": "taken by hand",
        "Encrypted": True,
        "KmsKeyId": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1f7b1b0e-0000-4000-8000-000000000001",
        "DataEncryptionKeyId": "c1f3a6a8-0000-4000-8000-000000000001",
        "Tags": [{"Key": "Name", "Value": f"root of web-{number}"}],
    }
    return item | members


def volume_item(number: int = 1, **members: Any) -> Item:
    item = {
        "VolumeId": f"vol-{number:017x}",
        "Size": 8,
        "VolumeType": "gp3",
        "State": "in-use",
        "SnapshotId": f"snap-{number:017x}",
        "Encrypted": False,
        "CreateTime": "2026-09-01T08:00:00+00:00",
        "AvailabilityZone": f"{REGION}a",
        "Attachments": [
            {
                "AttachTime": "2026-09-01T08:00:01+00:00",
                "Device": "/dev/xvda",
                "InstanceId": f"i-{number:017x}",
                "State": "attached",
                "VolumeId": f"vol-{number:017x}",
                "DeleteOnTermination": True,
            }
        ],
        "Tags": [{"Key": "Name", "Value": "disk"}],
    }
    return item | members


def instance_item(number: int = 1, **members: Any) -> Item:
    item = {
        "InstanceId": f"i-{number:017x}",
        "ImageId": f"ami-{number:017x}",
        "InstanceType": "m5.large",
        "State": {"Code": 16, "Name": "running"},
        "Placement": {
            "AvailabilityZone": f"{REGION}a",
            "AvailabilityZoneId": "euw1-az1",
            "GroupName": "",
            "Tenancy": "default",
        },
        "Architecture": "x86_64",
        "PlatformDetails": "Linux/UNIX",
        "UsageOperation": "RunInstances",
        "UsageOperationUpdateTime": "2026-09-01T08:00:00+00:00",
        "BootMode": "uefi-preferred",
        "RootDeviceName": "/dev/xvda",
        "RootDeviceType": "ebs",
        "BlockDeviceMappings": [
            {
                "DeviceName": "/dev/xvda",
                "Ebs": {
                    "AttachTime": "2026-09-01T08:00:01+00:00",
                    "DeleteOnTermination": True,
                    "Status": "attached",
                    "VolumeId": f"vol-{number:017x}",
                },
            }
        ],
        "LaunchTime": "2026-09-01T08:00:00+00:00",
        "Tags": [{"Key": "Name", "Value": f"web-{number}"}],
    }
    return item | members


def reserved_item(number: int = 1, **members: Any) -> Item:
    item = {
        "ReservedInstancesId": f"5f4dcc3b-0000-4000-8000-{number:012d}",
        "InstanceType": "m5.large",
        "InstanceCount": 2,
        "ProductDescription": "Linux/UNIX",
        "InstanceTenancy": "default",
        "Scope": "Region",
        "OfferingClass": "standard",
        "OfferingType": "Partial Upfront",
        "Start": "2026-01-01T00:00:00+00:00",
        "End": "2027-01-01T00:00:00+00:00",
        "Duration": 31_536_000,
        "FixedPrice": 350.0,
        "UsagePrice": 0.0,
        "RecurringCharges": [{"Amount": 0.041, "Frequency": "Hourly"}],
        "CurrencyCode": "USD",
        "State": "active",
        "Tags": [],
    }
    return item | members


def modification_item(made: Item, *origins: Item) -> Item:
    return {
        "ReservedInstancesModificationId": "rimod-5f4dcc3b-0000-4000-8000-000000000001",
        "ReservedInstancesIds": [
            {"ReservedInstancesId": each["ReservedInstancesId"]} for each in origins
        ],
        "ModificationResults": [
            {
                "ReservedInstancesId": made["ReservedInstancesId"],
                "TargetConfiguration": {
                    "AvailabilityZone": f"{REGION}a",
                    "InstanceCount": made["InstanceCount"],
                    "InstanceType": made["InstanceType"],
                },
            }
        ],
        "CreateDate": "2026-03-01T10:00:00+00:00",
        "UpdateDate": "2026-03-01T10:20:00+00:00",
        "EffectiveDate": "2026-03-01T10:00:00+00:00",
        "Status": "fulfilled",
    }


_KIND_OF = {
    "ImageId": "images",
    "SnapshotId": "snapshots",
    "VolumeId": "volumes",
    "InstanceId": "instances",
    "ReservedInstancesId": "reserved_instances",
}


def put(aws: SimulatedAws, *items: Item, account: str = ACCOUNT, region: str = REGION) -> None:
    """Let there be these things in the simulated AWS; the first member is the id of each."""
    for item in items:
        name = next(iter(item))
        aws.state.put(_KIND_OF[name], item[name], item, account, region)


def drop(aws: SimulatedAws, item: Item) -> None:
    """Let a thing be gone from the simulated AWS."""
    name = next(iter(item))
    del aws.state.things[_KIND_OF[name]][item[name]]
