"""What a removal meets in the simulated AWS: images, and who uses them."""

from typing import Any

from registry.models import Image
from sandbox.aws.scope import Scope
from sandbox.aws.server import SimulatedAws
from sandbox.aws.using import use_in_parameter, use_in_template
from tests.factories import make_image

SHARED = [{"UserId": "111111111111"}, {"Group": "all"}]


def put_image(aws: SimulatedAws, scope: Any, **members: Any) -> Image:
    """Let there be an image of `scope`, in AWS and in the mirror; it stands on one snapshot."""
    row = make_image(account=scope.account, region=scope.region)
    return put_row(aws, row, **members)


def put_row(aws: SimulatedAws, row: Image, **members: Any) -> Image:
    """Let AWS have the image of a row too."""
    snapshot_id = row.aws_id.replace("ami", "snap")
    device = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot_id}}
    Image.objects.filter(pk=row.pk).update(
        name=row.aws_id, root_snapshot_id=snapshot_id, block_devices=[device]
    )
    row.refresh_from_db()
    image = {
        "ImageId": row.aws_id,
        "Name": row.aws_id,
        "OwnerId": row.account.number,
        "State": row.state,
        "RootDeviceName": "/dev/xvda",
        "BlockDeviceMappings": [device],
        "Tags": [],
    }
    here = place(aws, row)
    here.put("images", row.aws_id, image | members)
    here.put("snapshots", snapshot_id, {"SnapshotId": snapshot_id, "State": "completed"})
    return row


def place(aws: SimulatedAws, row: Image) -> Scope:
    return Scope(aws.state, row.account.number, row.region)


def in_aws(aws: SimulatedAws, row: Image) -> Any:
    """Return the image as AWS has it, shown or not; None if it has none."""
    return aws.state.things["images"].get(row.aws_id)


def launch(aws: SimulatedAws, row: Image, *, instance_id: str = "i-00000000000000001") -> str:
    """Let an instance of the image's account run from it; return its id."""
    instance = {
        "InstanceId": instance_id,
        "ImageId": row.aws_id,
        "State": {"Code": 16, "Name": "running"},
    }
    place(aws, row).put("instances", instance_id, instance)
    return instance_id


def terminate(aws: SimulatedAws, instance_id: str) -> None:
    aws.state.things["instances"].pop(instance_id)


def name_in_template(aws: SimulatedAws, row: Image, name: str = "web") -> str:
    """Let a launch template name the image; return the template's id."""
    return str(use_in_template(place(aws, row), row.aws_id, name)["LaunchTemplateId"])


def name_in_parameter(aws: SimulatedAws, row: Image, name: str = "/ami/golden") -> None:
    use_in_parameter(place(aws, row), row.aws_id, name)


def keep_in_the_bin(aws: SimulatedAws, row: Image) -> None:
    """Let the account have a Recycle Bin rule for images."""
    aws.state.accounts.setdefault(row.account.number, {})["RecycleBin"] = True


def applied(aws: SimulatedAws, operation: str, row: Image) -> int:
    """Count the requests that reached AWS for an image."""
    return sum(
        call.operation == operation and call.params.get("ImageId") == row.aws_id
        for call in aws.calls
    )
