"""What a registration meets in the simulated AWS: its snapshot, and images of others."""

from typing import Any

from registry.registration.spec import TAG
from sandbox.aws.scope import Scope
from sandbox.aws.server import SimulatedAws
from sandbox.aws.state import Thing
from tests.conftest import BASE_ACCOUNT

SNAPSHOT_ID = "snap-0123456789abcdef0"
RHEL = "RunInstances:0010"


def put_snapshot(
    aws: SimulatedAws, *, billing: str | None = RHEL, region: str = "eu-west-1", **members: Any
) -> None:
    """Let there be a snapshot; an image that is registered from it is billed as `billing`."""
    snapshot = {
        "SnapshotId": SNAPSHOT_ID,
        "OwnerId": BASE_ACCOUNT,
        "VolumeId": "vol-0123456789abcdef0",
        "VolumeSize": 8,
        "State": "completed",
        "Progress": "100%",
        "StorageTier": "standard",
        "StartTime": "2026-11-01T00:00:00.000Z",
        "Description": "",
        "Encrypted": False,
        "Tags": [],
        "_billing": billing,
    }
    found = snapshot | members
    Scope(aws.state, BASE_ACCOUNT, region).put("snapshots", str(found["SnapshotId"]), found)


def put_image(
    aws: SimulatedAws,
    *,
    key: object = None,
    snapshot_id: str = SNAPSHOT_ID,
    name: str = "golden",
    region: str = "eu-west-1",
    **members: Any,
) -> str:
    """Let there be an image that no attempt of ours made; return its id."""
    image_id = members.get("ImageId") or f"ami-{len(aws.state.things['images']):017x}"
    image = {
        "ImageId": image_id,
        "Name": name,
        "OwnerId": BASE_ACCOUNT,
        "State": "available",
        "RootDeviceName": "/dev/xvda",
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot_id}}],
        "Tags": [{"Key": TAG, "Value": str(key)}] if key else [],
    }
    Scope(aws.state, BASE_ACCOUNT, region).put("images", image_id, image | members)
    return image_id


def images_named(aws: SimulatedAws, name: str) -> list[Thing]:
    """Return every image of that name, also those that AWS does not show yet."""
    return [image for image in aws.state.things["images"].values() if image["Name"] == name]
